"""Zip archives, opened for reading where their members lie, not what they hold.

Every member is located through its own header and must agree with the directory at the
end. The CRC-32 of members up to 64 MB is checked when the archive is opened; larger
ones are held to their offsets and sizes only, since a check would take as long as the
analysis. Archives that torch wrote without checksums
(``torch.serialization.set_crc32_options(False)``) have 0 everywhere and are said to.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from boundkit.errors import Unreadable
from boundkit.readers.lookahead import Lookahead
from boundkit.readers.quoting import shown
from boundkit.readers.ranged import is_ranged
from boundkit.readers.storage import (
    DeflatedStorage,
    FileStorage,
    Inflater,
    opened_file,
)
from boundkit.readers.zip_members import (
    locate,
    oddities,
    refuse_bomb,
    refuse_overlap,
)
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from boundkit.readers.storage import OpenedFile
    from boundkit.readers.zip_members import Member
    from boundkit.types import Storage

__all__ = ["Archive", "member_names", "open_archive"]

_CHECKED = 64 << 20
_SMALL = 1 << 14
_AGAIN = "copy or download the file again"
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    ValueError,
    OverflowError,
    EOFError,
    OSError,
    MemoryError,
    struct.error,
)


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """An archive whose members have been located and checked.

    Attributes:
        path: The file.
        members: By name; of duplicates the last.
        notices: What was odd but safe.
    """

    path: Path
    members: Mapping[str, Member]
    notices: tuple[Notice, ...]
    _file: OpenedFile = field(repr=False)
    _inflater: Inflater = field(repr=False)

    def storage(self, name: str) -> Storage:
        """Return the bytes of a member, to be read in blocks."""
        member = self.members[name]
        if member.deflated:
            return DeflatedStorage(
                self.path, member.offset, member.packed, member.size, self._inflater
            )
        return FileStorage(self.path, member.offset, member.size, self._file)

    def content(self, name: str) -> bytes:
        """Return all bytes of a member that describes others.

        Raises:
            Unreadable: There is no such member, it is damaged, or it unpacks to far
                more than a description ever does.
        """  # noqa: DOC501 - _wrong_checksum makes the Unreadable
        member = self.members.get(name)
        if member is None:
            raise Unreadable(self.path, f"record {shown(name)} is missing", _AGAIN)
        if member.tight:
            raise Unreadable(
                self.path,
                f"record {shown(name)} unpacks {member.packed} bytes to {member.size}",
                "unpack the archive and store it without compression",
            )
        data = bytes(self.storage(name).read(0, member.size))
        if not self._unchecked() and zlib.crc32(data) != member.crc:
            raise _wrong_checksum(self.path, name)
        return data

    def _unchecked(self) -> bool:
        return any(notice.code == "no-checksums" for notice in self.notices)


class _Window(io.RawIOBase):
    """Part of a file, as zipfile wants it."""

    def __init__(self, file: OpenedFile, start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._position = file, start, size, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._position, self._size)[whence]
        if base + offset < 0:
            raise OSError("before the start")
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._position)
        count = left if size < 0 else min(size, left)
        block = self._file.pread(self._start + self._position, count)
        self._position += count
        return block


def _wrong_checksum(path: Path, name: str) -> Unreadable:
    return Unreadable(path, f"record {shown(name)} has a wrong CRC-32", _AGAIN)


def _extent(path: Path, start: int, size: int | None) -> int:
    return path.stat().st_size - start if size is None else size


def member_names(path: Path) -> tuple[str, ...] | None:
    """Return the names in the directory of an archive, or None if it has none."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    try:
        infos, _ = _directory(path, 0, stat.st_size, stat.st_mtime_ns)
    except (*_BROKEN, Unreadable):
        return None
    return tuple(info.filename for info in infos)


# Each reader that is asked for a file wants it, and 10^5 members take a second to list.
@lru_cache(maxsize=1)
def _directory(
    path: Path, start: int, size: int, _modified: int
) -> tuple[list[zipfile.ZipInfo], int]:
    """Return the entries of a directory and where it begins, counted from ``start``."""
    with zipfile.ZipFile(_Window(opened_file(path), start, size)) as archive:
        return archive.infolist(), archive.start_dir


def open_archive(path: Path, start: int = 0, size: int | None = None) -> Archive:
    """Return the archive in a file, or in ``size`` bytes of one from ``start``.

    Raises:
        Unreadable: It is truncated, encrypted, or its members do not fit.
        Refused: It unpacks to more than a gigabyte from next to nothing.
    """
    file = opened_file(path)
    size = _extent(path, start, size)
    try:
        infos, directory = _directory(path, start, size, path.stat().st_mtime_ns)
    except _BROKEN as error:
        cause = "truncated archive, or the directory at its end is damaged"
        raise Unreadable(path, f"{cause} ({error})", _AGAIN) from error
    finally:
        # Once the members are located nobody asks for it again.
        _directory.cache_clear()
    ahead = Lookahead(file, start + size)
    members = [locate(ahead, start, size, info) for info in infos]
    refuse_overlap(path, members, start + directory)
    refuse_bomb(path, members)
    notices = [*oddities(file, start, size, members)]
    unchecked = bool(members) and not any(member.crc for member in members)
    if unchecked and any(member.size for member in members):
        notices.append(Notice("no-checksums", "the archive was written without CRC-32"))
    inflater = Inflater(file)
    by_name = {member.name: member for member in members}
    opened = Archive(path, by_name, tuple(notices), file, inflater)
    if is_ranged(path):
        why = "it is read by ranges, so the CRC-32 of its records was not checked"
        return replace(opened, notices=(*notices, Notice("not-checked", why)))
    if not unchecked:
        for member in by_name.values():
            _check(opened, member, ahead)
    return opened


def _check(archive: Archive, member: Member, ahead: Lookahead) -> None:
    if member.size > _CHECKED:
        return
    if not member.deflated and member.size <= _SMALL:
        if zlib.crc32(ahead.pread(member.offset, member.size)) != member.crc:
            raise _wrong_checksum(archive.path, member.name)
        return
    storage = archive.storage(member.name)
    crc = 0
    for at in range(0, member.size, 1 << 20):
        crc = zlib.crc32(storage.read(at, min(at + (1 << 20), member.size)), crc)
    if crc != member.crc:
        raise _wrong_checksum(archive.path, member.name)
