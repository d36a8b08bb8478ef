"""Checkpoints in shards: an index that says which file holds which tensor.

Layout: ``*.index.json`` of transformers and diffusers, with ``weight_map``.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from boundkit.errors import Refused, Unreadable
from boundkit.readers import safetensors_file, torch_legacy, torch_zip
from boundkit.readers.contents import Contents
from boundkit.readers.outline import grow
from boundkit.readers.quoting import listed, shown
from boundkit.readers.storage import opened_file
from boundkit.readers.strict_json import parse
from boundkit.types import Notice

if TYPE_CHECKING:
    from boundkit.types import StoredTensor

__all__ = ["NAME", "part_of", "read", "recognizes"]

NAME = "sharded"

LONGEST_INDEX = 100_000_000
"""Bytes; 10^5 tensors with long names take 20 MB."""

_SHARD = re.compile(r"(?P<stem>.+)-\d{2,}-of-0*(?P<count>\d+)\.(?P<ending>[a-z0-9]+)")
_PIECE = re.compile(r"shard-\d+-model-\d+-of-\d+\.safetensors")
_AGAIN = "download or save the checkpoint again"


def recognizes(path: Path, head: bytes) -> bool:
    """Tell whether the file is called like an index of shards."""
    del head  # JSON has no magic number; the name is the convention.
    return path.name.endswith(".index.json")


def read(path: Path) -> Contents:
    """Describe the tensors of all shards that an index names.

    Args:
        path: The index.

    Returns:
        A flat tree in the order of the index.

    Raises:
        Unreadable: The index does not parse, a shard is missing, or the shards do not
            hold exactly the tensors that the index says they hold.
        Refused: A shard lies outside the folder of the index.
    """
    weights = _weight_map(path)
    shards = {name: _shard(path, name) for name in dict.fromkeys(weights.values())}
    missing = [name for name, shard in shards.items() if not shard.is_file()]
    if missing:
        cause = (
            f"{len(missing)} of its {len(shards)} shards are missing: {listed(missing)}"
        )
        raise Unreadable(path, cause, "download them into the same folder")
    held: dict[str, dict[str, StoredTensor]] = {}
    notices: list[Notice] = []
    kinds: dict[str, None] = {}
    for name, shard in shards.items():
        contents = _open(shard)
        held[name] = {".".join(p): t for p, t in grow(contents.tree, shard).walk()}
        kinds[contents.format] = None
        notices += contents.notices
    _check_match(path, weights, held)
    tree = {tensor: held[shard][tensor] for tensor, shard in weights.items()}
    count = f"{len(shards)} shard{'s' if len(shards) > 1 else ''}"
    return Contents(
        format=f"{' and '.join(kinds) or 'sharded'}, {count}",
        tree=tree,
        files=(path, *shards.values()),
        notices=tuple(notices),
    )


def part_of(path: Path) -> Notice | None:
    """Return a notice if a file is called like one of several shards."""
    if _PIECE.fullmatch(path.name):
        message = "this is a piece of a distributed checkpoint; analyze its folder"
        return Notice("one-shard", message)
    match = _SHARD.fullmatch(path.name)
    if match is None or int(match["count"][:9]) < 2:
        return None
    index = path.with_name(f"{match['stem']}.{match['ending']}.index.json")
    message = f"this is one of {match['count'][:9]} shards"
    if index.is_file():
        message += f"; analyze {shown(index.name)} for the whole model"
    return Notice("one-shard", message)


def _weight_map(path: Path) -> dict[str, str]:
    size = path.stat().st_size
    if size > LONGEST_INDEX:
        raise Unreadable(path, f"an index of {size:,} bytes is not one", _AGAIN)
    document = parse(opened_file(path).pread(0, size), path, "the index", _AGAIN)
    weights = document.get("weight_map")
    if not isinstance(weights, dict) or not weights:
        raise Unreadable(path, "the index has no weight_map", _AGAIN)
    for tensor, name in weights.items():
        if not isinstance(name, str):
            cause = f"the index names no file for tensor {shown(tensor)}"
            raise Unreadable(path, cause, _AGAIN)
    return weights


def _shard(index: Path, name: str) -> Path:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    parts = {*posix.parts, *windows.parts}
    if (
        posix.is_absolute()
        or windows.anchor
        or ".." in parts
        or not posix.parts
        or not name.isprintable()
    ):
        raise _escapes(index, name)
    path = index.parent / posix
    try:
        target = path.resolve()
    except (OSError, RuntimeError):
        raise _escapes(index, name) from None
    if not any(target.is_relative_to(home) for home in _homes(index)):
        raise _escapes(index, name)
    return path


def _homes(index: Path) -> tuple[Path, ...]:
    """Return where shards may lie: beside the index, or in the blobs of the hub's cache."""
    folder = index.parent.absolute()
    homes = (folder.resolve(), index.resolve().parent)
    if folder.parent.name == "snapshots":
        return (*homes, (folder.parent.parent / "blobs").resolve())
    return homes


def _escapes(index: Path, name: str) -> Refused:
    cause = f"shard {shown(name)} lies outside the folder of the index"
    return Refused(index, cause, "put the shard beside the index, or analyze it alone")


def _open(shard: Path) -> Contents:
    head = opened_file(shard).pread(0, min(64, shard.stat().st_size))
    for reader in (safetensors_file, torch_zip, torch_legacy):
        if reader.recognizes(shard, head):
            contents: Contents = reader.read(shard)
            return contents
    cause = "is neither a safetensors nor a torch file"
    raise Unreadable(shard, cause, "download the shard again (git lfs pull)")


def _check_match(
    path: Path, weights: dict[str, str], held: dict[str, dict[str, StoredTensor]]
) -> None:
    absent = [t for t, shard in weights.items() if t not in held[shard]]
    if absent:
        where = shown(weights[absent[0]])
        cause = f"the index puts {listed(absent)} in shard {where}, which lacks it"
        raise Unreadable(path, cause, _AGAIN)
    owners: dict[str, str] = {}
    for shard, tensors in held.items():
        for tensor in tensors:
            if tensor in owners:
                both = listed([owners[tensor], shard])
                cause = f"tensor {shown(tensor)} is in two shards, {both}"
                raise Unreadable(path, cause, _AGAIN)
            owners[tensor] = shard
    unlisted = [tensor for tensor in owners if tensor not in weights]
    if unlisted:
        where = shown(owners[unlisted[0]])
        cause = f"shard {where} holds {listed(unlisted)}, which the index does not name"
        raise Unreadable(path, cause, _AGAIN)
