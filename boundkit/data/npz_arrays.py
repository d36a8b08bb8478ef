"""Arrays in a numpy archive, a block at a time."""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Header", "blocks", "explained", "header_of", "mapped", "whole"]

#: Where the header of a member of a zip tells how long its name is.
_NAME_LENGTH = 26


@dataclass(frozen=True, slots=True)
class Header:
    """What an array in an archive declares about itself."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


@contextmanager
def explained(name: str) -> Generator[None, None, None]:
    """Turn what numpy and zipfile raise about a damaged archive into one line.

    Args:
        name: Of the archive, for the message.

    Raises:
        DataError: The archive is damaged.
    """
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,  # an encrypted member, or an unsupported compression
    ) as error:
        raise DataError(
            f"{name}: not a readable numpy archive ({error}); write it again with"
            " numpy.savez"
        ) from error


def _read_header(stream: IO[bytes], entry: str, name: str) -> Header:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        header = Header(*np.lib.format.read_array_header_1_0(stream))
    else:
        header = Header(*np.lib.format.read_array_header_2_0(stream))
    if header.dtype.hasobject:
        raise DataError(
            f"{name}: {entry} holds Python objects, which would need code to be run;"
            " save a numeric array"
        )
    return header


def header_of(archive: zipfile.ZipFile, entry: str, name: str) -> Header:
    """Return shape, order and dtype of an array.

    Args:
        archive: Open for reading.
        entry: Name of the array.
        name: Of the archive, for messages.

    Raises:
        DataError: The array holds Python objects.
    """
    with archive.open(f"{entry}.npy") as stream:
        return _read_header(stream, entry, name)


def _take(stream: IO[bytes], header: Header, count: int) -> NDArray[Any]:
    data = stream.read(count * header.dtype.itemsize)
    if len(data) != count * header.dtype.itemsize:
        raise EOFError("an array ends early")
    return np.frombuffer(data, header.dtype)


def whole(archive: zipfile.ZipFile, entry: str, name: str) -> NDArray[Any]:
    """Return an array, read to its end.

    Args:
        archive: Open for reading.
        entry: Name of the array.
        name: Of the archive, for messages.

    Raises:
        DataError: The array holds Python objects.
    """
    with archive.open(f"{entry}.npy") as stream:
        header = _read_header(stream, entry, name)
        flat = _take(stream, header, prod(header.shape))
        # Reading to the end is what makes zipfile check the checksum.
        stream.read(1)
    return flat.reshape(header.shape, order="F" if header.fortran else "C")


def blocks(path: Path, entry: str, batch_size: int) -> Iterator[NDArray[Any]]:
    """Yield consecutive rows of an array, decompressed as they are asked for.

    Args:
        path: The archive.
        entry: Name of the array.
        batch_size: Rows at a time.

    Yields:
        (batch_size, ...) arrays, the last one shorter.

    Raises:
        DataError: The archive is damaged.
    """
    name = str(path)
    with explained(name), zipfile.ZipFile(path) as archive:
        header = header_of(archive, entry, name)
        if header.fortran:
            found = whole(archive, entry, name)
            for first in range(0, len(found), batch_size):
                yield found[first : first + batch_size]
            return
        with archive.open(f"{entry}.npy") as stream:
            _read_header(stream, entry, name)
            n, *sample = header.shape
            for first in range(0, n, batch_size):
                rows = min(batch_size, n - first)
                flat = _take(stream, header, rows * prod(sample))
                yield flat.reshape(rows, *sample)
            stream.read(1)


def _require_whole(header: Header, nbytes: int) -> None:
    if prod(header.shape) * header.dtype.itemsize != nbytes:
        raise EOFError("an array ends early")


def mapped(path: Path, entry: str) -> NDArray[Any] | None:
    """Return an array that is read from the file as it is touched, None if compressed.

    Its checksum is not checked: that would read all of it.

    Args:
        path: The archive.
        entry: Name of the array.

    Raises:
        DataError: The archive is damaged, or the array holds Python objects.
    """
    name = str(path)
    with explained(name), zipfile.ZipFile(path) as archive:
        member = archive.getinfo(f"{entry}.npy")
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            return None
        with path.open("rb") as file:
            file.seek(member.header_offset + _NAME_LENGTH)
            name_length, extra = struct.unpack("<HH", file.read(4))
            start = member.header_offset + _NAME_LENGTH + 4 + name_length + extra
            file.seek(start)
            header = _read_header(file, entry, name)
            first = file.tell()
        _require_whole(header, member.file_size - (first - start))
        # Copy on write: torch wants memory that could be written to.
        return np.memmap(
            path,
            header.dtype,
            "c",
            first,
            header.shape,
            "F" if header.fortran else "C",
        )
