"""A numpy archive with both parts of a data set."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read", "recognizes"]

#: Names under which archives keep training images, their labels, test images, and theirs.
_NAMES = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("X_train", "Y_train", "X_test", "Y_test"),
)


def recognizes(path: Path) -> bool:
    """Say whether a path is a numpy archive by its name."""
    return path.is_file() and path.suffix.lower() == ".npz"


def read(
    path: Path,
) -> tuple[tuple[NDArray[np.generic], NDArray[np.generic]], ...]:
    """Return training and test part, images and labels.

    Args:
        path: Of the archive; images (n, rows, columns), channels before or after them.

    Raises:
        DataError: It is damaged, or lacks an array.
    """
    try:
        # numpy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            for names in _NAMES:
                if set(names) <= set(archive.files):
                    x, y, x_test, y_test = (archive[name] for name in names)
                    return (_planes(x), y), (_planes(x_test), y_test)
            there = sorted(archive.files)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path}: not a readable numpy archive ({error}); write it again with"
            " numpy.savez"
        ) from error
    raise DataError(
        f"{path}: has arrays {there[:8]}; save with numpy.savez(path, x_train=...,"
        " y_train=..., x_test=..., y_test=...)"
    )


def _planes(x: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return images with channels first, where one or three come last."""
    last = x.ndim == 4 and x.shape[3] in {1, 3} and x.shape[1] not in {1, 3}
    return x.transpose(0, 3, 1, 2) if last else x
