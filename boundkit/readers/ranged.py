"""Local files that are filled from elsewhere, a range at a time, as they are read.

Such a file has its full size from the start and holds holes; whoever reads a range fills
it first. So every reader works on it as on any other file, a range is fetched once, and
what is never read is never fetched.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from boundkit.errors import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

__all__ = ["BLOCK", "fill", "filler", "is_ranged", "ranged"]

#: Bytes that are fetched at the least: fewer would wait for the network, not for bytes.
BLOCK = 1 << 18


class _Filler:
    """Knows which blocks of a file are there, and fetches the others."""

    __slots__ = ("_fetch", "_have", "_lock", "_path", "_size")

    def __init__(
        self, path: Path, size: int, fetch: Callable[[int, int], bytes]
    ) -> None:
        self._path = path
        self._size = size
        self._fetch = fetch
        self._have = bytearray(-(-size // BLOCK))
        self._lock = threading.Lock()

    def fill(self, offset: int, count: int) -> None:
        """Fetch what is missing of ``count`` bytes from ``offset``.

        Raises:
            Unreadable: The source or the disk fails, or the source has shrunk.
        """
        first, last = offset // BLOCK, -(-min(offset + count, self._size) // BLOCK)
        with self._lock:
            while first < last:
                first = self._have.find(b"\0", first, last)
                if first < 0:
                    return
                end = self._have.find(b"\1", first, last)
                end = last if end < 0 else end
                self._store(first * BLOCK, min(end * BLOCK, self._size))
                first = end

    def _store(self, start: int, stop: int) -> None:
        data = self._fetched(start, stop)
        if len(data) == self._size:
            # A server that knows no ranges has sent everything.
            start, stop = 0, self._size
        if len(data) != stop - start:
            raise Unreadable(
                self._path,
                f"bytes {start} to {stop} were asked for, but {len(data)} came",
                "it may have changed meanwhile: try again",
            )
        try:
            with self._path.open("r+b") as file:
                file.seek(start)
                file.write(data)
        except OSError as error:
            raise Unreadable(
                self._path,
                f"what was fetched cannot be stored ({error})",
                "make room for temporary files (TMPDIR says where)",
            ) from error
        first, last = start // BLOCK, -(-stop // BLOCK)
        self._have[first:last] = b"\1" * (last - first)

    def _fetched(self, start: int, stop: int) -> bytes:
        try:
            return bytes(self._fetch(start, stop))
        except Exception as error:
            # File systems of others raise whatever they like.
            what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise Unreadable(
                self._path,
                f"bytes {start} to {stop} could not be fetched ({what})",
                "check the address and the network, then try again",
            ) from error


# By path, since readers pass paths to each other and not handles.
_FILLERS: dict[str, _Filler] = {}


@contextmanager
def ranged(
    path: Path, size: int, fetch: Callable[[int, int], bytes]
) -> Generator[None]:
    """Make a file of holes that is filled while this context lasts.

    Args:
        path: Where it is made; its folder is there already.
        size: In bytes.
        fetch: Start and stop -> the bytes between them, or all bytes where the source
            knows no ranges. May raise anything.

    Raises:
        Unreadable: It cannot be made.
    """
    try:
        with path.open("wb") as file:
            file.truncate(size)
    except OSError as error:
        raise Unreadable(
            path, f"cannot be made ({error})", "make room for temporary files"
        ) from error
    _FILLERS[str(path)] = _Filler(path, size, fetch)
    try:
        yield
    finally:
        del _FILLERS[str(path)]


def filler(path: Path) -> Callable[[int, int], None] | None:
    """Return what fills a range (offset, count) of a file, or None if it is whole.

    Args:
        path: Of any file.
    """
    found = _FILLERS.get(str(path))
    return None if found is None else found.fill


def is_ranged(path: Path) -> bool:
    """Say whether a file is filled as it is read.

    Args:
        path: Of any file.
    """
    return str(path) in _FILLERS


def fill(path: Path, offset: int, count: int) -> None:
    """Fill a range of a file, where it is one that has to be filled.

    Args:
        path: Of any file.
        offset: Of the first byte.
        count: Number of bytes; may reach beyond the end.

    Raises:
        Unreadable: The source or the disk fails.
    """
    found = _FILLERS.get(str(path))
    if found is not None:
        found.fill(offset, count)
