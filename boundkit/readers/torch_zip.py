"""``torch.save`` files since 1.6: a zip archive of a pickle and one record per storage.

Layout: ``torch/serialization.py`` (``_save``) and ``caffe2/serialize``. Checksums: the
CRC-32 of every record up to 64 MB is checked when the file is opened, and of larger ones
offsets and sizes only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import Unreadable
from boundkit.readers.contents import Contents
from boundkit.readers.modules import unfold
from boundkit.readers.quoting import listed
from boundkit.readers.torch_records import find_root, read_records
from boundkit.readers.zip_archive import member_names, open_archive
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from boundkit.readers.zip_archive import Archive

__all__ = ["NAME", "extra_members", "read", "recognizes"]

NAME = "torch zip"
_KNOWN = (
    "byteorder",
    "version",
    ".format_version",
    ".storage_alignment",
    ".data/serialization_id",
    ".data/version",
)


def recognizes(path: Path, head: bytes) -> bool:
    """Return whether it is such an archive, or a zip too damaged to be anything else."""
    names = member_names(path)
    if names is None:
        return head.startswith(b"PK\x03\x04")
    return find_root(names, "data.pkl") is not None


def read(path: Path) -> Contents:
    """Return what the file describes; nothing in it is run.

    Raises:
        Unreadable: The archive or its pickle is damaged.
        Refused: It unpacks to gigabytes, or its modules are nested without end.
    """
    archive = open_archive(path)
    root = find_root(archive.members, "data.pkl")
    if root is None:
        raise Unreadable(path, "the archive has no data.pkl", "save the model again")
    records = read_records(archive, root, "data.pkl", "data")
    unfolded = unfold(path, records.value)
    return Contents(
        NAME,
        unfolded.tree,
        (path,),
        unfolded.modules,
        ("pickled module",) if unfolded.modules else (),
        (
            *archive.notices,
            *records.notices,
            *unfolded.notices(),
            *extra_members(archive, root, records.used, _KNOWN),
        ),
    )


def extra_members(
    archive: Archive, root: str, used: frozenset[str], known: tuple[str, ...]
) -> Iterator[Notice]:
    """Iterate over notices about members that nothing refers to.

    Args:
        archive: The archive.
        root: The folder of all records.
        used: Members that were read.
        known: Names and folders (ending in ``/``) that belong to the format.
    """
    expected = tuple(f"{root}{name}" for name in known)
    folders = tuple(name for name in expected if name.endswith("/"))
    extra = [
        name
        for name in archive.members
        if name not in used and name not in expected and not name.startswith(folders)
    ]
    pickles = [name for name in extra if name.endswith((".pkl", ".pickle"))]
    others = [name for name in extra if name not in set(pickles)]
    if pickles:
        message = f"pickles that nothing refers to were not read: {listed(pickles)}"
        yield Notice("extra-pickle", message)
    if others:
        message = f"records that nothing refers to: {listed(others)}"
        yield Notice("extra-member", message)
