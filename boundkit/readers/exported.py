"""``torch.export.save`` archives (``.pt2``): weights by name, no graph is run.

Three layouts: releases from 2.9 keep each storage as a record and describe it in JSON;
2.8 keeps one ``torch.save`` file inside; earlier ones keep ``serialized_state_dict.pt``.
Schema: ``torch/_export/serde/schema.py`` and ``torch/export/pt2_archive``.
"""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING, Any

from boundkit.errors import Empty, Refused, Unreadable
from boundkit.readers.contents import Contents
from boundkit.readers.dtypes import EXPORT_TYPES, ITEMSIZE
from boundkit.readers.pickle_tensors import unread, view
from boundkit.readers.quoting import listed, shown
from boundkit.readers.torch_records import byte_order, find_root, read_records
from boundkit.readers.zip_archive import member_names, open_archive
from boundkit.types import Notice, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from boundkit.readers.zip_archive import Archive

__all__ = ["NAME", "read", "recognizes"]

NAME = "torch.export"
_WEIGHTS = "data/weights/"
_CONFIG = "_weights_config.json"
_OLD = "serialized_state_dict.pt"
_AGAIN = "save the program again"


def recognizes(path: Path, head: bytes) -> bool:
    """Return whether it is such an archive."""
    if not head.startswith(b"PK"):
        return False
    names = member_names(path) or ()
    marks = ("archive_format", _OLD, "serialized_exported_program.json")
    return any(find_root(names, mark) is not None for mark in marks)


def read(path: Path) -> Contents:
    """Return the weights under their names in the model; no code in it is run.

    Raises:
        Unreadable: The archive, its tables or a pickle in it are damaged.
        Refused: It holds compiled code only.
        Empty: The program has no weights.
    """
    archive = open_archive(path)
    old = find_root(archive.members, _OLD)
    if old is not None:
        trees = {"model": _nested(archive, f"{old}{_OLD}")}
    else:
        root = find_root(archive.members, "archive_format")
        trees = dict(_models(archive, "" if root is None else root))
    notices = archive.notices
    if not any(trees.values()):
        if any(name.endswith((".so", ".o")) for name in archive.members):
            cause = "it holds a compiled program, not weights"
            raise Refused(path, cause, "analyze the state_dict it was made from")
        raise Empty(path, "the exported program has no weights", "save a model")
    if len(trees) > 1:
        message = f"the archive holds several programs: {listed(trees)}"
        notices = (*notices, Notice("several-programs", message))
    tree = trees if len(trees) > 1 else next(iter(trees.values()))
    return Contents(NAME, tree, (path,), {}, ("exported program",), notices)


def _models(archive: Archive, root: str) -> Iterator[tuple[str, Any]]:
    prefix = f"{root}{_WEIGHTS}"
    for name in archive.members:
        if not name.startswith(prefix):
            continue
        if name.endswith(_CONFIG):
            model = name[len(prefix) : -len(_CONFIG)]
            yield model, _described(archive, root, name)
        elif name.endswith(".pt"):
            yield name[len(prefix) : -len(".pt")], _nested(archive, name)


def _nested(archive: Archive, name: str) -> Any:
    # The tree of a torch.save file that is a member of the archive.
    member = archive.members[name]
    if member.deflated:
        raise Refused(
            archive.path,
            f"record {shown(name)} is an archive that was compressed once more",
            "unpack it and analyze what comes out",
        )
    inner = open_archive(archive.path, member.offset, member.size)
    root = find_root(inner.members, "data.pkl")
    if root is None:
        cause = f"record {shown(name)} is no torch.save file"
        raise Unreadable(archive.path, cause, _AGAIN)
    return read_records(inner, root, "data.pkl", "data").value


def _described(archive: Archive, root: str, name: str) -> dict[str, Any]:
    big_endian = byte_order(archive, root)
    try:
        entries = json.loads(archive.content(name))["config"]
        return {
            weight: _tensor(archive, f"{root}{_WEIGHTS}", weight, entry, big_endian)
            for weight, entry in entries.items()
        }
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:
        cause = f"table {shown(name)} does not fit its records: {shown(error, 200)}"
        raise Unreadable(archive.path, cause, _AGAIN) from error


def _tensor(
    archive: Archive, folder: str, weight: str, entry: Any, big_endian: bool
) -> Any:
    record = f"{folder}{entry['path_name']}"
    if record not in archive.members:
        raise ValueError(f"{weight}: record {record} is missing")
    if entry["use_pickle"]:
        return _nested(archive, record)
    meta = entry["tensor_meta"]
    dtype = EXPORT_TYPES[meta["dtype"]]
    size = [length["as_int"] for length in meta["sizes"]]
    storage = archive.storage(record)
    if not storage.nbytes and prod(size):
        return unread(size, dtype, "it was exported without numbers")
    flat = (storage.nbytes // ITEMSIZE[dtype],)
    base = StoredTensor(flat, dtype, storage, big_endian=big_endian)
    stride = [step["as_int"] for step in meta["strides"]]
    try:
        return view(base, meta["storage_offset"]["as_int"], size, stride)
    except ValueError as error:
        raise ValueError(f"tensor {weight}: {error}") from error
