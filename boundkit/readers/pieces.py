"""Folders that ranks wrote as safetensors: each file holds pieces of the tensors.

Layout: ``torch/distributed/checkpoint/hf_storage.py`` of torch 2.7 to 2.13, with
``save_distributed=True`` and no consolidation. The files say where each piece begins,
but not how large the whole is: that follows from the pieces.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from boundkit.errors import NotApplicable, Unreadable
from boundkit.numerics.blocks import numpy_dtype
from boundkit.readers.chunks import Chunk, ChunkedStorage, gap
from boundkit.readers.contents import Contents
from boundkit.readers.quoting import listed, shown
from boundkit.readers.safetensors_file import tensors_of
from boundkit.readers.strict_json import parse
from boundkit.types import Notice, StoredTensor

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["NAME", "read", "recognizes"]

NAME = "distributed safetensors"

_FILE = re.compile(
    r"shard-(?P<shard>\d{5,9})-model-(?P<part>\d{5,9})-of-(?P<parts>\d{5,9})"
    r"\.safetensors"
)
_OFFSETS = "DCP_SHARDING_INFO"
_AGAIN = "copy the whole folder, or save it again"


def recognizes(path: Path, head: bytes) -> bool:
    """Tell whether the folder holds files that are called like those of ranks."""
    del head  # A folder has none.
    return path.is_dir() and any(_files(path))


def read(path: Path) -> Contents:
    """Describe the tensors that the files of all ranks make up together.

    Args:
        path: The folder.

    Returns:
        A flat tree; tensors in pieces are put together on demand.

    Raises:
        Unreadable: A file is missing or damaged, or the pieces of a tensor do not fit.
    """
    files = _files(path)
    if not files:
        raise Unreadable(path, "holds no files of ranks", _AGAIN)
    _check_complete(path, files)
    pieces: dict[str, list[Chunk]] = {}
    for file in files:
        tensors, metadata = tensors_of(file)
        offsets = _offsets(file, metadata)
        for name, tensor in tensors.items():
            begin = offsets.get(name, (0,) * len(tensor.shape))
            pieces.setdefault(name, []).append(Chunk(begin, tensor))
    tree = {name: _whole(path, name, chunks) for name, chunks in pieces.items()}
    message = (
        f"the shapes of whole tensors follow from the {len(files)} files there are"
    )
    notice = Notice("shapes-inferred", message)
    return Contents(NAME, tree, tuple(files), notices=(notice,))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if _FILE.fullmatch(p.name))
    except OSError:
        return []


def _check_complete(folder: Path, files: list[Path]) -> None:
    matches = [match for file in files if (match := _FILE.fullmatch(file.name))]
    shards = {int(match["shard"]) for match in matches}
    parts = {int(match["part"]) for match in matches}
    expected = max(int(match["parts"]) for match in matches)
    if len(shards) != max(shards) or len(parts) != expected:
        cause = (
            f"holds files of {len(shards)} of {max(shards)} ranks and "
            f"{len(parts)} of {expected} parts"
        )
        raise Unreadable(folder, cause, _AGAIN)


def _offsets(file: Path, metadata: dict[str, str]) -> dict[str, tuple[int, ...]]:
    text = metadata.get(_OFFSETS, "{}").encode("utf-8", "replace")
    info = parse(text, file, f"its {_OFFSETS}", _AGAIN)
    offsets: dict[str, tuple[int, ...]] = {}
    for name, entry in info.items():
        begin: Any = entry.get("saved_offsets") if isinstance(entry, dict) else None
        if not isinstance(begin, list) or not all(
            type(n) is int and 0 <= n < 2**62 for n in begin
        ):
            cause = f"it does not say where the piece of {shown(name)} begins"
            raise Unreadable(file, cause, _AGAIN)
        offsets[name] = tuple(begin)
    return offsets


def _whole(folder: Path, name: str, chunks: list[Chunk]) -> StoredTensor:
    first = chunks[0].tensor
    rank = len(first.shape)
    boxes = [(chunk.offsets, chunk.tensor.shape) for chunk in chunks]
    if any(len(o) != rank or len(n) != rank for o, n in boxes):
        wrong, shape = "its pieces have different numbers of dimensions", first.shape
    else:
        shape = tuple(max(o[d] + n[d] for o, n in boxes) for d in range(rank))
        wrong = gap(shape, boxes)
    if len({chunk.tensor.dtype for chunk in chunks}) > 1:
        dtypes = listed(sorted({chunk.tensor.dtype for chunk in chunks}))
        wrong = wrong or f"its pieces are of several types: {dtypes}"
    if wrong:
        raise Unreadable(folder, f"tensor {shown(name)}: {wrong}", _AGAIN)
    if len(chunks) == 1:
        return first
    try:
        numpy_dtype(first.dtype)
    except NotApplicable as error:
        return StoredTensor(shape, first.dtype, None, unread=str(error))
    storage = ChunkedStorage(f"{folder}#{name}", shape, chunks)
    return StoredTensor(shape, first.dtype, storage)
