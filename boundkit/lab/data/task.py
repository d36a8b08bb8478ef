"""What a net is trained on: classes, counts, noise in the labels, and what pixels become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.lab.data.images import Images

__all__ = ["Task", "noisy", "pooled", "task_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Samples of a classification problem.

    Attributes:
        x_train: (n, channels, rows, columns), float32.
        y_train: (n,) classes 0..C-1 that are trained on, int64.
        y_clean: (n,) classes before noise was put in.
        x_test: (m, channels, rows, columns), float32.
        y_test: (m,) classes, without noise.
        classes: C.
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    y_clean: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    classes: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of a sample."""
        channels, rows, columns = self.x_train.shape[1:]
        return channels, rows, columns


def task_of(
    images: Images,
    *,
    classes: Sequence[int],
    n: int,
    n_test: int,
    noise: float,
    pooling: int,
    preprocessing: str,
    seed: int,
) -> Task:
    """Return the first samples of each class, the same number of each.

    Args:
        images: The data set.
        classes: Labels of the data set; the place of each is its class here.
        n: Training samples, a multiple of the number of classes.
        n_test: Test samples, a multiple of it, too.
        noise: Share of the training labels that are drawn anew, uniformly over the
            classes, so that some stay what they were.
        pooling: Side of the squares of pixels that become their mean.
        preprocessing: ``"unit"`` divides each image by its norm; ``"standard"``
            subtracts the mean of all training pixels and divides by their deviation.
        seed: Of the noise.

    Raises:
        UsageError: The data set lacks a class or samples, or does not divide so.
    """
    x, y = _chosen(images.x_train, images.y_train, classes, n, "training")
    x_test, y_test = _chosen(images.x_test, images.y_test, classes, n_test, "test")
    x, x_test = pooled(x, pooling), pooled(x_test, pooling)
    if preprocessing == "unit":
        x, x_test = _unit(x), _unit(x_test)
    else:
        mean, deviation = x.mean(dtype=np.float64), x.std(dtype=np.float64)
        x, x_test = (
            ((part - mean) / deviation).astype(np.float32) for part in (x, x_test)
        )
    labels = noisy(y, noise, len(classes), seed)
    return Task(x, labels, y, x_test, y_test, len(classes))


def noisy(
    labels: NDArray[np.int64], share: float, classes: int, seed: int
) -> NDArray[np.int64]:
    """Return labels of which a share is drawn anew, uniformly over the classes.

    Args:
        labels: (n,) classes.
        share: From 0 to 1; of n labels, the rounded number is drawn.
        classes: C.
        seed: Of the draw.
    """
    random = np.random.default_rng([seed, 1])
    found = labels.copy()
    drawn = random.permutation(len(labels))[: round(share * len(labels))]
    found[drawn] = random.integers(classes, size=len(drawn))
    return found


def pooled(x: NDArray[np.generic], side: int) -> NDArray[np.float32]:
    """Return images with means over squares of pixels, bytes divided by 255.

    Args:
        x: (n, channels, rows, columns).
        side: Of a square.

    Raises:
        UsageError: The squares do not fill the image.
    """
    n, channels, rows, columns = x.shape
    if rows % side or columns % side:
        raise UsageError(
            f"pooling must divide {rows} x {columns} pixels, but got {side}"
        )
    small = x.reshape(n, channels, rows // side, side, columns // side, side)
    scale = 255 if x.dtype == np.uint8 else 1
    return np.asarray(small.mean(axis=(3, 5), dtype=np.float32) / scale, np.float32)


def _chosen(
    x: NDArray[np.generic],
    y: NDArray[np.int64],
    classes: Sequence[int],
    count: int,
    what: str,
) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    each = count // len(classes)
    rows = []
    for label in classes:
        own = np.flatnonzero(y == label)
        if len(own) < each:
            raise UsageError(
                f"the data have {len(own)} {what} samples of class {label}, but"
                f" {each} are asked for; ask for fewer"
            )
        rows.append(own[:each])
    chosen = np.concatenate(rows)
    return x[chosen], np.repeat(np.arange(len(classes)), each)


def _unit(x: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.sqrt(np.square(x, dtype=np.float64).sum(axis=(1, 2, 3), keepdims=True))
    # A black image stays black.
    return (x / np.where(norms > 0, norms, 1)).astype(np.float32)
