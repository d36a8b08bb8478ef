"""Samples in a folder of IDX files, as MNIST and its relatives are shipped."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from contextlib import contextmanager
from math import prod
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from boundkit.data.samples import Samples, from_rows
from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read", "recognizes"]

_NAME = re.compile(
    r"(?:.*[-_])?(?P<part>train|t10k|test)[-_](?P<what>images|labels)"
    r"[-.]idx[13][-.]ubyte(?:\.gz)?"
)
_UNSIGNED_BYTE = 0x08


def _part(name: str) -> tuple[str, str] | None:
    """Return the part (train or test) and content of an IDX file by its name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return ("train" if match["part"] == "train" else "test"), match["what"]


def recognizes(path: Path) -> bool:
    """Say whether ``path`` is a folder with IDX files in it."""
    return path.is_dir() and any(_part(entry.name) for entry in path.iterdir())


def read(path: Path, part: str) -> Samples:
    """Open the training or test part of a folder of IDX files, compressed or not.

    Args:
        path: The folder.
        part: ``"train"`` or ``"test"``.

    Returns:
        Samples of shape (1, rows, columns), pixels divided by 255, read batch by batch.

    Raises:
        DataError: A file is missing, ambiguous or damaged.
    """
    images, labels = (_find(path, part, what) for what in ("images", "labels"))
    with _opened(images) as stream:
        shape = _shape(stream, images)
    with _opened(labels) as stream:
        y = _take(stream, prod(_shape(stream, labels)))
        _finish(stream)

    def rows(batch_size: int) -> Iterator[NDArray[np.float32]]:
        with _opened(images) as stream:
            n, *sample = _shape(stream, images)
            for first in range(0, n, batch_size):
                count = min(batch_size, n - first)
                flat = _take(stream, count * prod(sample))
                pixels = flat.reshape(count, 1, *sample)
                yield np.divide(pixels, 255, dtype=np.float32)
            _finish(stream)

    name = f"{path}:{part}"
    whole = (shape[0], 1, *shape[1:])
    return from_rows(name, whole, rows, y, ("pixels divided by 255",))


def _find(folder: Path, part: str, what: str) -> Path:
    found = [p for p in sorted(folder.iterdir()) if _part(p.name) == (part, what)]
    # A file beside its own compressed copy is one file.
    distinct = {p.name.removesuffix(".gz"): p for p in found}
    if len(distinct) != 1:
        listed = [p.name for p in found]
        problem = (
            f"several {part} {what} files {listed}"
            if found
            else (
                f"no {part} {what} file such as {part}-{what}-idx"
                f"{3 if what == 'images' else 1}-ubyte"
            )
        )
        raise DataError(f"{folder}: {problem}; keep exactly one in the folder")
    return next(iter(distinct.values()))


@contextmanager
def _opened(path: Path) -> Generator[IO[bytes], None, None]:
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as stream:
            yield stream
    except (OSError, EOFError, zlib.error, struct.error, ValueError) as error:
        raise DataError(
            f"{path}: not a readable IDX file ({error}); download it again"
        ) from error


def _shape(stream: IO[bytes], path: Path) -> tuple[int, ...]:
    zeros, kind, axes = struct.unpack(">HBB", stream.read(4))
    if zeros != 0 or kind != _UNSIGNED_BYTE or axes not in {1, 3}:
        raise DataError(
            f"{path}: does not start like an IDX file of bytes with 1 or 3 axes;"
            " download it again"
        )
    return struct.unpack(f">{axes}I", stream.read(4 * axes))


def _finish(stream: IO[bytes]) -> None:
    # Reaching the end is what makes gzip check its checksum.
    stream.read(1)


def _take(stream: IO[bytes], count: int) -> NDArray[Any]:
    data = stream.read(count)
    if len(data) != count:
        raise EOFError("it ends early")
    return np.frombuffer(data, np.uint8)
