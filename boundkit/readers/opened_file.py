"""A file that stays open while its tensors are read, in one of two ways.

Small pieces are copied with ``pread``. Large ones are mapped, which saves the copy: with
it, a norm would cost twice what reading costs. The kernel is asked to fill the mapping
at once, so that a disk that fails is an error here instead of a bus error later.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from boundkit.errors import Unreadable
from boundkit.readers.ranged import filler

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OpenedFile", "opened_file"]

#: From here on a mapping is cheaper than a copy, measured with benchmarks/read_norms.py.
_WORTH_MAPPING = 1 << 20
#: MADV_POPULATE_READ of Linux 5.14, which Python has no name for.
_POPULATE_READ = 22


class OpenedFile:
    """One descriptor for all tensors of a file, opened at the first read."""

    __slots__ = ("__weakref__", "_descriptor", "_fill", "_lock", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        self._fill = filler(path)
        self._lock = threading.Lock()

    def pread(self, offset: int, count: int) -> bytes:
        """Return a copy of ``count`` bytes from ``offset``.

        Raises:
            Unreadable: The file cannot be opened, or ends before that.
        """
        if self._fill is not None:
            self._fill(offset, count)
        try:
            block = os.pread(self._open(), count, offset)
            while len(block) < count and (
                more := os.pread(self._open(), count - len(block), offset + len(block))
            ):
                block += more
        except (OSError, OverflowError, MemoryError) as error:
            raise Unreadable(
                self.path,
                f"reading {count} bytes at byte {offset} failed ({error})",
                "check the disk and the permissions",
            ) from error
        if len(block) < count:
            raise Unreadable(
                self.path,
                f"truncated: bytes {offset} to {offset + count} are not there",
                "copy or download the file again",
            )
        return block

    def view(self, offset: int, count: int) -> memoryview:
        """Return ``count`` bytes from ``offset``, mapped where that is cheaper.

        Raises:
            Unreadable: The file cannot be opened, or ends before that.
        """
        if self._fill is not None:
            self._fill(offset, count)
        mapped = self._mapped(offset, count) if count >= _WORTH_MAPPING else None
        return memoryview(self.pread(offset, count)) if mapped is None else mapped

    def _mapped(self, offset: int, count: int) -> memoryview | None:
        """Return a filled mapping, or None where there is none; then pread says why."""
        if sys.platform != "linux":
            return None
        skipped = offset % mmap.ALLOCATIONGRANULARITY
        try:
            window = mmap.mmap(
                self._open(),
                skipped + count,
                flags=mmap.MAP_PRIVATE,
                prot=mmap.PROT_READ,
                offset=offset - skipped,
            )
            window.madvise(_POPULATE_READ)
        except (OSError, OverflowError, ValueError):
            return None
        return memoryview(window)[skipped:]

    def _open(self) -> int:
        with self._lock:
            if self._descriptor < 0:
                flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
                self._descriptor = os.open(self.path, flags)
            return self._descriptor

    def __del__(self) -> None:
        """Close the descriptor."""
        if self._descriptor >= 0:
            os.close(self._descriptor)


# Shared so that 10^5 tensors take one descriptor; weak, so that it goes with the last.
_OPENED: WeakValueDictionary[tuple[object, ...], OpenedFile] = WeakValueDictionary()


def opened_file(path: Path) -> OpenedFile:
    """Return the handle that every reader of this version of the file shares.

    Raises:
        Unreadable: There is no such file.
    """
    try:
        stat = path.stat()
    except (OSError, ValueError) as error:
        raise Unreadable(
            path, f"cannot be opened ({error})", "check the path and the permissions"
        ) from error
    version = (str(path), stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return _OPENED.setdefault(version, OpenedFile(path))
