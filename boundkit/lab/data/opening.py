"""Finding a data set: where the user says, or where it usually is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boundkit.data import idx
from boundkit.errors import DataError
from boundkit.lab.data import archive, cifar
from boundkit.lab.data.images import assembled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.lab.data.images import Images

__all__ = ["VARIABLE", "open_images"]

#: Environment variable that says where the images are.
VARIABLE = "BOUNDKIT_DATA"

_USUAL = Path("/usr/share/datasets/fashion-mnist")
_BLOCK = 4096
_FILES = (
    "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and"
    " t10k-labels-idx1-ubyte (.gz or not) of Fashion-MNIST, MNIST or KMNIST, or"
    " data_batch_1.bin to data_batch_5.bin and test_batch.bin of CIFAR-10"
)


def open_images(path: str | os.PathLike[str] | None = None) -> Images:
    """Read a data set of images with both parts.

    Args:
        path: A folder of IDX files (Fashion-MNIST, MNIST, KMNIST), one of CIFAR-10's
            binary batches, or an .npz with x_train, y_train, x_test, y_test; None for
            what the environment variable BOUNDKIT_DATA names, else the folder of
            Debian's package dataset-fashion-mnist.

    Raises:
        DataError: There is no data set; the message says which files to put where.
    """
    place = _place(path)
    if archive.recognizes(place):
        return assembled(str(place), *archive.read(place))
    if cifar.recognizes(place):
        return assembled(str(place), *cifar.read(place))
    if idx.recognizes(place):
        return assembled(str(place), _idx(place, "train"), _idx(place, "test"))
    what = "there is no such file or folder"
    if place.exists():
        what = "there are no images that this command knows"
    raise DataError(
        f"{place}: {what}; put {_FILES} there, or an .npz with x_train, y_train, x_test,"
        f" y_test, and name it with --data or {VARIABLE}"
    )


def _place(path: str | os.PathLike[str] | None) -> Path:
    if path is not None:
        return Path(path)
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if not _USUAL.exists():
        raise DataError(
            f"{_USUAL}: Fashion-MNIST is not there; install Debian's package"
            f" dataset-fashion-mnist, or put {_FILES} into a folder and name it with"
            f" --data or {VARIABLE}"
        )
    return _USUAL


def _idx(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    samples = idx.read(folder, part)
    blocks = list(samples.source(_BLOCK))
    # The reader divides bytes by 255; this gives them back exactly.
    pixels = np.concatenate([np.rint(x * 255).astype(np.uint8) for x, _ in blocks])
    labels = np.concatenate([np.asarray(y) for _, y in blocks]).astype(np.int64)
    return pixels, labels
