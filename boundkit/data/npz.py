"""Samples in a numpy archive: ``x``, ``y``, and fixed preprocessing if declared.

Members are decompressed a block at a time, so memory is that of one batch.
"""

from __future__ import annotations

import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from boundkit.data.checks import checked_inputs
from boundkit.data.preprocessing import centered, checked_center, checked_norm, unit
from boundkit.data.samples import Samples, from_rows
from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

__all__ = ["read", "recognizes"]


@dataclass(frozen=True, slots=True)
class _Header:
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def recognizes(path: Path) -> bool:
    """Say whether ``path`` is a numpy archive by its name."""
    return path.is_file() and path.suffix.lower() == ".npz"


def read(path: Path, part: str) -> Samples:
    """Open a numpy archive with arrays ``x`` and ``y``.

    An optional entry ``normalize`` equal to ``"unit"`` divides each sample by its
    Euclidean norm; an optional ``center`` of the shape of one sample is subtracted
    after that.

    Args:
        path: The archive.
        part: Ignored: an archive has no parts.

    Returns:
        Samples that are read from the file batch by batch.

    Raises:
        DataError: The archive is damaged, lacks an array, or the arrays do not fit.
    """
    del part
    name = str(path)
    with _explained(name), zipfile.ZipFile(path) as archive:
        entries = {m.removesuffix(".npy") for m in archive.namelist()}
        missing = [entry for entry in ("x", "y") if entry not in entries]
        if missing:
            raise DataError(
                f"{name}: has no array {' and no array '.join(missing)} (it has"
                f" {sorted(entries)}); save with numpy.savez(path, x=..., y=...)"
            )
        header = _header_of(archive, "x", name)
        labels = _whole(archive, "y", name)
        norm = _whole(archive, "normalize", name) if "normalize" in entries else None
        center = _whole(archive, "center", name) if "center" in entries else None
    if norm is not None:
        checked_norm(norm, name)
    middle = None
    if center is not None:
        middle = checked_center(center, header.shape[1:], name)

    def rows(batch_size: int) -> Iterator[torch.Tensor]:
        done = 0
        for block in _blocks(path, batch_size):
            x = checked_inputs(block, header.shape[1:], name, done)
            x = x if norm is None else unit(x)
            yield x if middle is None else centered(x, middle)
            done += len(block)

    applied = (("unit norm",) if norm is not None else ()) + (
        ("center subtracted",) if center is not None else ()
    )
    found = from_rows(name, header.shape, rows, labels, applied)
    return replace(found, unit=norm is not None, center=middle)


@contextmanager
def _explained(name: str) -> Generator[None, None, None]:
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


def _read_header(stream: IO[bytes], entry: str, name: str) -> _Header:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        header = _Header(*np.lib.format.read_array_header_1_0(stream))
    else:
        header = _Header(*np.lib.format.read_array_header_2_0(stream))
    if header.dtype.hasobject:
        raise DataError(
            f"{name}: {entry} holds Python objects, which would need code to be run;"
            " save a numeric array"
        )
    return header


def _header_of(archive: zipfile.ZipFile, entry: str, name: str) -> _Header:
    with archive.open(f"{entry}.npy") as stream:
        return _read_header(stream, entry, name)


def _take(stream: IO[bytes], header: _Header, count: int) -> NDArray[Any]:
    data = stream.read(count * header.dtype.itemsize)
    if len(data) != count * header.dtype.itemsize:
        raise EOFError("an array ends early")
    return np.frombuffer(data, header.dtype)


def _whole(archive: zipfile.ZipFile, entry: str, name: str) -> NDArray[Any]:
    with archive.open(f"{entry}.npy") as stream:
        header = _read_header(stream, entry, name)
        flat = _take(stream, header, prod(header.shape))
        # Reading to the end is what makes zipfile check the checksum.
        stream.read(1)
    return flat.reshape(header.shape, order="F" if header.fortran else "C")


def _blocks(path: Path, batch_size: int) -> Iterator[NDArray[Any]]:
    name = str(path)
    with _explained(name), zipfile.ZipFile(path) as archive:
        header = _header_of(archive, "x", name)
        if header.fortran:
            whole = _whole(archive, "x", name)
            for first in range(0, len(whole), batch_size):
                yield whole[first : first + batch_size]
            return
        with archive.open("x.npy") as stream:
            _read_header(stream, "x", name)
            n, *sample = header.shape
            for first in range(0, n, batch_size):
                rows = min(batch_size, n - first)
                flat = _take(stream, header, rows * prod(sample))
                yield flat.reshape(rows, *sample)
            stream.read(1)
