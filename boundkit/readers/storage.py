"""Where a tensor's bytes lie, and how a block of them is fetched."""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from boundkit.errors import Unreadable
from boundkit.readers.opened_file import OpenedFile, opened_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "ArrayStorage",
    "ComputedStorage",
    "DeflatedStorage",
    "FileStorage",
    "Inflater",
    "OpenedFile",
    "opened_file",
]

_CHUNK = 1 << 20
_COPY_AGAIN = "copy or download the file again"


def _check_window(source: object, start: int, stop: int, nbytes: int) -> None:
    if not 0 <= start <= stop <= nbytes:
        raise Unreadable(
            source, f"bytes {start} to {stop} of {nbytes} were asked for", _COPY_AGAIN
        )


@dataclass(frozen=True, slots=True, eq=False)
class FileStorage:
    """Bytes that lie as they are in a file.

    Attributes:
        path: The file.
        offset: Of the first byte.
        nbytes: How many there are.
        file: The handle, where the caller has it already; found by path if not.
    """

    path: Path
    offset: int
    nbytes: int
    file: OpenedFile | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.file is None:
            object.__setattr__(self, "file", opened_file(self.path))

    @property
    def key(self) -> str:
        """The file and the offset."""
        return f"{self.path}@{self.offset}"

    def read(self, start: int, stop: int) -> memoryview:
        """Return bytes ``start:stop``.

        Raises:
            Unreadable: They are not there.
        """
        _check_window(self.path, start, stop, self.nbytes)
        file = self.file or opened_file(self.path)
        return file.view(self.offset + start, stop - start)


class Inflater:
    """One stream of raw deflate data at a time, shared by the members of an archive.

    Only the current position and the last chunk are kept, so that 10^4 compressed
    members take no more memory than one.
    """

    __slots__ = ("_chunk", "_end", "_file", "_lock", "_member", "_packed", "_stream")

    def __init__(self, file: OpenedFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._member = (-1, 0)
        self._stream = zlib.decompressobj(-15)
        self._packed = 0
        self._chunk = b""
        self._end = 0

    def read(self, member: tuple[int, int], start: int, stop: int) -> bytes:
        """Return bytes ``start:stop`` of the member at ``(offset, packed bytes)``.

        Raises:
            Unreadable: The stream is damaged or ends before ``stop``.
        """
        with self._lock:
            if member != self._member or start < self._end - len(self._chunk):
                self._restart(member)
            pieces = []
            position = start
            while position < stop:
                while self._end <= position:
                    self._advance()
                behind = self._end - position
                piece = self._chunk[len(self._chunk) - behind :][: stop - position]
                pieces.append(piece)
                position += len(piece)
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _restart(self, member: tuple[int, int]) -> None:
        self._member = member
        self._stream = zlib.decompressobj(-15)
        self._packed = 0
        self._chunk = b""
        self._end = 0

    def _advance(self) -> None:
        offset, packed = self._member
        held = self._stream.unconsumed_tail
        if not held:
            count = min(_CHUNK // 4, packed - self._packed)
            held = self._file.pread(offset + self._packed, count)
            self._packed += count
        try:
            self._chunk = self._stream.decompress(held, _CHUNK)
        except zlib.error as error:
            self._member = (-1, 0)
            raise Unreadable(
                self._file.path, f"damaged compressed data ({error})", _COPY_AGAIN
            ) from error
        self._end += len(self._chunk)
        stuck = not self._chunk and not self._stream.unconsumed_tail
        if stuck and (self._stream.eof or self._packed >= packed):
            self._member = (-1, 0)
            raise Unreadable(
                self._file.path,
                "compressed data end before their declared size",
                _COPY_AGAIN,
            )


@dataclass(frozen=True, slots=True, eq=False)
class DeflatedStorage:
    """Bytes that lie compressed in a file; never more than declared are produced.

    Attributes:
        path: The archive.
        offset: Of the first compressed byte.
        packed: How many compressed bytes there are.
        nbytes: How many there are once unpacked.
        inflater: What unpacks them; members of an archive share one.
    """

    path: Path
    offset: int
    packed: int
    nbytes: int
    inflater: Inflater = field(repr=False)

    @property
    def key(self) -> str:
        """The file and the offset."""
        return f"{self.path}@{self.offset}"

    def read(self, start: int, stop: int) -> memoryview:
        """Return bytes ``start:stop``; cheap when asked in order.

        Raises:
            Unreadable: They are not there.
        """
        _check_window(self.path, start, stop, self.nbytes)
        member = (self.offset, self.packed)
        return memoryview(self.inflater.read(member, start, stop))


class ArrayStorage:
    """The bytes of an array or buffer in memory."""

    __slots__ = ("_bytes", "key", "nbytes")

    def __init__(self, array: NDArray[np.generic] | bytes) -> None:
        data = array if isinstance(array, bytes) else array.reshape(-1).view("u1").data
        self._bytes = memoryview(data)
        self.key = f"memory@{id(self._bytes)}"
        self.nbytes = self._bytes.nbytes

    def read(self, start: int, stop: int) -> memoryview:
        """Return bytes ``start:stop``.

        Raises:
            Unreadable: They are not there.
        """
        _check_window("array in memory", start, stop, self.nbytes)
        return self._bytes[start:stop]


class ComputedStorage:
    """The bytes of a float64 array that is computed when first read, once."""

    __slots__ = ("_array", "_compute", "key", "nbytes")

    def __init__(
        self, key: str, nbytes: int, compute: Callable[[], NDArray[np.float64]]
    ) -> None:
        self.key = key
        self.nbytes = nbytes
        self._compute = compute
        self._array: memoryview | None = None

    def read(self, start: int, stop: int) -> memoryview:
        """Return bytes ``start:stop``.

        Raises:
            Unreadable: The array is not as large as was announced.
        """
        if self._array is None:
            array = self._compute()
            self._array = array.reshape(-1).view("u1").data
        _check_window(self.key, start, stop, min(self.nbytes, self._array.nbytes))
        return self._array[start:stop]
