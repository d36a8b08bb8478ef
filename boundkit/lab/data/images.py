"""A data set of images in memory, training and test part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Images", "assembled"]


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images and labels as they are stored.

    Attributes:
        source: Where they were read from.
        x_train: (n, channels, rows, columns), bytes or float32.
        y_train: (n,) classes, int64, from 0.
        x_test: (m, channels, rows, columns), as ``x_train``.
        y_test: (m,) classes.
        digest: Hexadecimal SHA-256 of all of it.
    """

    source: str
    x_train: NDArray[np.generic]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.generic]
    y_test: NDArray[np.int64]
    digest: str


def assembled(
    source: str,
    train: tuple[NDArray[np.generic], NDArray[np.generic]],
    test: tuple[NDArray[np.generic], NDArray[np.generic]],
) -> Images:
    """Return checked arrays with their digest.

    Args:
        source: Where they were read from.
        train: Images (n, rows, columns) or (n, channels, rows, columns), labels (n,).
        test: The same of the test part.

    Raises:
        DataError: The arrays are no images with classes, or the parts do not fit.
    """
    parts = [_part(source, name, *p) for name, p in (("train", train), ("test", test))]
    (x, y), (x_test, y_test) = parts
    if x.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{source}: training images are {x.shape[1:]}, test images"
            f" {x_test.shape[1:]}; give both parts of one data set"
        )
    found = hashlib.sha256(f"{x.dtype} {x.shape} {x_test.shape}".encode())
    for array in (x, y, x_test, y_test):
        found.update(np.ascontiguousarray(array).data)
    return Images(source, x, y, x_test, y_test, found.hexdigest())


def _part(
    source: str, name: str, x: NDArray[np.generic], y: NDArray[np.generic]
) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    images = x[:, None] if x.ndim == 3 else x
    labels = y.reshape(-1)
    if images.ndim != 4 or len(images) != len(labels) or not images.size:
        raise DataError(
            f"{source}: {name} images {x.shape} and labels {y.shape} are no pair; give"
            " images (n, rows, columns) or (n, channels, rows, columns) and n labels"
        )
    whole = labels.dtype.kind in "iub" or bool(
        (np.mod(np.asarray(labels, np.float64), 1) == 0).all()
    )
    if not whole or labels.min() < 0:
        raise DataError(
            f"{source}: {name} labels are not classes 0, 1, ...; number them so"
        )
    if images.dtype != np.uint8:
        images = images.astype(np.float32)
        if not np.isfinite(images).all():
            raise DataError(
                f"{source}: {name} images hold NaN or Inf; remove or repair them"
            )
    return images, labels.astype(np.int64)
