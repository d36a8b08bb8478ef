"""Many small reads of one file, mostly in order, as few large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from boundkit.readers.opened_file import OpenedFile

__all__ = ["Lookahead"]

_WINDOW = 1 << 16


class Lookahead:
    """The bytes of a file up to ``stop``, a window of them at hand.

    Attributes:
        path: The file.
    """

    __slots__ = ("_begin", "_file", "_stop", "_window", "path")

    def __init__(self, file: OpenedFile, stop: int) -> None:
        self.path: Path = file.path
        self._file = file
        self._stop = stop
        self._begin = 0
        self._window = b""

    def pread(self, offset: int, count: int) -> bytes:
        """Return a copy of ``count`` bytes from ``offset``.

        Raises:
            Unreadable: The file cannot be opened, or ends before that.
        """
        at = offset - self._begin
        if at < 0 or at + count > len(self._window):
            if count > _WINDOW or offset + count > self._stop:
                return self._file.pread(offset, count)
            ahead = min(_WINDOW, self._stop - offset)
            self._begin, self._window = offset, self._file.pread(offset, ahead)
            at = 0
        return self._window[at : at + count]
