"""Where the members of a zip archive lie, and whether that makes sense."""

from __future__ import annotations

import struct
import zipfile
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from boundkit.errors import Refused, Unreadable
from boundkit.readers.quoting import listed, shown
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from boundkit.readers.lookahead import Lookahead
    from boundkit.readers.storage import OpenedFile

__all__ = ["Member", "locate", "oddities", "refuse_bomb", "refuse_overlap"]

_SMALL = 4 << 20
_RATIO = 50
_BOMB = 1 << 30
_HEADER = struct.Struct("<4sHHHHHIIIHH")
_END = b"PK\x05\x06"
_AGAIN = "copy or download the file again"


@dataclass(frozen=True, slots=True)
class Member:
    """Where one member lies: ``size`` bytes, stored in ``packed`` from ``offset``."""

    name: str
    header: int
    offset: int
    size: int
    packed: int
    crc: int
    deflated: bool

    @property
    def tight(self) -> bool:
        """Whether it is compressed more than a description ever is."""
        return self.size > max(_SMALL, _RATIO * self.packed)


def locate(file: Lookahead, start: int, size: int, info: zipfile.ZipInfo) -> Member:
    """Return where a member lies, after its own header.

    Args:
        file: That holds the archive.
        start: Where the archive begins in it.
        size: Of the archive.
        info: What the directory says.

    Raises:
        Unreadable: Header and directory do not agree, or the member is encrypted.
    """  # noqa: DOC501 - _misplaced makes the Unreadable
    name = info.filename
    if info.flag_bits & 0x41:
        raise Unreadable(
            file.path, f"record {shown(name)} is encrypted", "decrypt it first"
        )
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise Unreadable(
            file.path,
            f"record {shown(name)} is compressed by method {info.compress_type}",
            "unpack the archive and store it without compression",
        )
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    at = info.header_offset
    if not 0 <= at <= size - _HEADER.size:
        raise _misplaced(file, name)
    raw = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
    begin = at + _HEADER.size + len(raw)
    header = file.pread(start + at, min(begin, size) - at)
    fields = _HEADER.unpack_from(header)
    begin += fields[10]
    wrong = (
        fields[0] != b"PK\x03\x04"
        or fields[9] != len(raw)
        or begin + info.compress_size > size
        or (not deflated and info.compress_size != info.file_size)
    )
    if wrong or header[_HEADER.size :] != raw:
        raise _misplaced(file, name)
    return Member(
        name,
        start + at,
        start + begin,
        info.file_size,
        info.compress_size,
        info.CRC,
        deflated,
    )


def _misplaced(file: Lookahead, name: str) -> Unreadable:
    cause = f"record {shown(name)} is not where the directory says"
    return Unreadable(file.path, cause, _AGAIN)


def refuse_overlap(path: Path, members: list[Member], directory: int) -> None:
    """Check that members lie apart, and all before the directory.

    Raises:
        Unreadable: They do not.
    """
    ordered = sorted(members, key=lambda member: member.header)
    for member, following in pairwise(ordered):
        if member.offset + member.packed > following.header:
            names = listed([member.name, following.name])
            raise Unreadable(path, f"records {names} overlap", _AGAIN)
    if ordered and ordered[-1].offset + ordered[-1].packed > directory:
        name = shown(ordered[-1].name)
        raise Unreadable(path, f"record {name} overlaps the directory", _AGAIN)


def refuse_bomb(path: Path, members: list[Member]) -> None:
    """Check that the archive does not unpack to gigabytes from next to nothing.

    Raises:
        Refused: It does.
    """
    packed = sum(member.packed for member in members)
    size = sum(member.size for member in members)
    if size > _BOMB and size > 100 * packed:
        raise Refused(
            path,
            f"compressed {size // max(packed, 1)} to 1, to {size >> 20} MB unpacked",
            "if you trust it, unpack it and store it without compression",
        )


def oddities(
    file: OpenedFile, start: int, size: int, members: list[Member]
) -> Iterator[Notice]:
    """Iterate over notices about bytes and members that should not be there."""
    first = min((member.header - start for member in members), default=0)
    if first:
        yield Notice("leading-bytes", f"{first} bytes lie before the first record")
    tail = file.pread(start + max(0, size - (1 << 17)), min(size, 1 << 17))
    end = tail.rfind(_END)
    if end >= 0 and len(tail) >= end + 22:
        after = (
            len(tail) - end - 22 - int.from_bytes(tail[end + 20 : end + 22], "little")
        )
        if after > 0:
            yield Notice("trailing-bytes", f"{after} bytes lie behind the archive")
    double = [n for n, count in Counter(m.name for m in members).items() if count > 1]
    if double:
        message = f"records occur twice, and the last is read: {listed(double)}"
        yield Notice("duplicate-member", message)
    tight = [m.name for m in members if m.tight]
    if tight:
        message = f"records are compressed more than {_RATIO} to 1: {listed(tight)}"
        yield Notice("compression-ratio", message)
