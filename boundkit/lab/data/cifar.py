"""CIFAR-10's binary version: records of a label and 3 x 32 x 32 bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read", "recognizes"]

_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32
_FOLDER = "cifar-10-batches-bin"


def recognizes(folder: Path) -> bool:
    """Say whether a folder, or the archive's folder in it, holds a binary batch."""
    return any(_home(folder).glob("*_batch*.bin"))


def read(folder: Path) -> tuple[tuple[NDArray[np.uint8], NDArray[np.uint8]], ...]:
    """Return training and test part, images (n, 3, 32, 32) and labels (n,).

    Args:
        folder: With ``data_batch_1.bin`` and on, and ``test_batch.bin``.

    Raises:
        DataError: A file is missing or not a whole number of records.
    """
    home = _home(folder)
    batches = sorted(home.glob("data_batch_*.bin"))
    test = home / "test_batch.bin"
    if not batches or not test.is_file():
        raise DataError(
            f"{home}: data_batch_1.bin to data_batch_5.bin and test_batch.bin are not all"
            " there; unpack CIFAR-10's binary version (cifar-10-binary.tar.gz) there"
        )
    return _joined(batches), _joined([test])


def _home(folder: Path) -> Path:
    inner = folder / _FOLDER
    return inner if inner.is_dir() else folder


def _joined(paths: list[Path]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    records = np.concatenate([_records(path) for path in paths])
    return records[:, 1:].reshape(-1, *_SHAPE), records[:, 0]


def _records(path: Path) -> NDArray[np.uint8]:
    content = np.frombuffer(path.read_bytes(), np.uint8)
    if not content.size or content.size % _RECORD or content[::_RECORD].max() > 9:
        raise DataError(
            f"{path}: {content.size} bytes are not records of CIFAR-10 ({_RECORD} bytes"
            " each, label first); unpack its binary version again"
        )
    return content.reshape(-1, _RECORD)
