"""From images to one ``.npz`` per task and part.

Pixels are stored as they are, with the preprocessing declared beside them: divide each
image by its Euclidean norm, then subtract ``center``, the mean of the first 200 images of
the task after that division. Those 200 are in no file: a center that was computed on the
sample would break the i.i.d. premise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from boundkit.lab.data import Images

__all__ = ["HELD_BACK", "center_of", "inputs", "prepare", "select"]

HELD_BACK = 200


def select(
    x: NDArray[np.generic], labels: NDArray[np.integer], task: str
) -> tuple[NDArray[np.generic], NDArray[np.integer]]:
    """Return the images of a task in order, and their labels.

    Args:
        x: (n, 1, 28, 28) images.
        labels: (n,) classes.
        task: ``"3v8"`` for two classes, the second of them +1; ``"all"`` for every class.

    Returns:
        Images and -1/+1, or images and classes as they are.
    """
    if task == "all":
        return x, labels
    negative, positive = (int(name) for name in task.split("v"))
    chosen = (labels == negative) | (labels == positive)
    return x[chosen], np.where(labels[chosen] == positive, 1, -1).astype(np.int8)


def _unit(x: NDArray[np.generic]) -> NDArray[np.float32]:
    norms = np.sqrt((x.astype(np.float64) ** 2).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(x / norms, np.float32)


def center_of(x: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the mean of images of unit norm, (1, 28, 28)."""
    return np.asarray(_unit(x).mean(axis=0, dtype=np.float64), np.float32)


def prepare(
    images: Images, folder: Path, task: str, held_back: int = HELD_BACK
) -> tuple[Path, Path]:
    """Write the training and the test part of a task, where they are not there yet.

    Args:
        images: Of one channel and 28 x 28 pixels, as bytes.
        folder: Where to write.
        task: As for ``select``.
        held_back: The first images, which give the center and are left out.

    Returns:
        The paths of both parts.

    Raises:
        DataError: The images are of another kind, or too few.
    """
    paths = folder / f"{task}_train.npz", folder / f"{task}_test.npz"
    if all(path.is_file() for path in paths):
        return paths
    if images.x_train.dtype != np.uint8 or images.x_train.shape[1:] != (1, 28, 28):
        raise DataError(
            f"{images.source}: images are {images.x_train.shape[1:]}"
            f" {images.x_train.dtype}; the nets take gray ones of 28 x 28 bytes, such as"
            " Fashion-MNIST"
        )
    folder.mkdir(parents=True, exist_ok=True)
    x, y = select(images.x_train, images.y_train, task)
    if len(x) <= held_back:
        raise DataError(
            f"{images.source}: {len(x)} images of task {task}, but {held_back} are held"
            " back for their mean; give more"
        )
    test = select(images.x_test, images.y_test, task)
    center = center_of(x[:held_back])
    parts = ((x[held_back:], y[held_back:]), test)
    for path, (pixels, labels) in zip(paths, parts, strict=True):
        np.savez(path, x=pixels, y=labels, normalize=np.array("unit"), center=center)
    return paths


def inputs(path: Path) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """Return what the nets are fed, (n, 1, 28, 28), and labels (n,)."""
    with np.load(path) as arrays:
        return _unit(arrays["x"]) - arrays["center"], arrays["y"]
