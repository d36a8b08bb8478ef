"""Folders of ``torch.distributed.checkpoint``: a pickled ``.metadata`` and its items.

Layout: ``torch/distributed/checkpoint/{metadata,filesystem}.py`` of torch 2.0 to 2.13.
Each item is what ``torch.save`` writes for one chunk, at an offset in a ``.distcp`` file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from boundkit.errors import NotApplicable, Refused, Unreadable
from boundkit.numerics.blocks import numpy_dtype
from boundkit.readers.chunks import Chunk, ChunkedStorage, gap
from boundkit.readers.contents import Contents, Opaque
from boundkit.readers.pickle_tensors import dtype_name
from boundkit.readers.pickles import unpickle
from boundkit.readers.quoting import listed, shown
from boundkit.readers.storage import opened_file
from boundkit.readers.torch_records import find_root, read_records
from boundkit.readers.zip_archive import open_archive
from boundkit.types import StoredTensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["NAME", "read", "recognizes"]

NAME = "distributed checkpoint"

_METADATA = ".metadata"
_LONGEST_METADATA = 200_000_000
_LONGEST_OBJECT = 1 << 20
_MOST_OBJECTS = 200
_AGAIN = "save or download the checkpoint again"


class _Place(NamedTuple):
    file: Path
    offset: int
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class _Index:
    folder: Path
    items: Mapping[str, Opaque]
    paths: Mapping[str, Any]
    places: Mapping[tuple[str, tuple[int, ...] | None], _Place]


def recognizes(path: Path, head: bytes) -> bool:
    """Tell whether the folder holds a ``.metadata`` file, or the path is that file."""
    del head  # It is an ordinary pickle; the name is the convention.
    if path.is_dir():
        return (path / _METADATA).is_file()
    return path.name == _METADATA


def read(path: Path) -> Contents:
    """Describe the tensors of a distributed checkpoint, whole.

    Args:
        path: The folder, or its ``.metadata`` file.

    Returns:
        The tree of the saved state_dict; tensors in chunks are put together on demand.

    Raises:
        Unreadable: The metadata do not fit together, or an item is missing or damaged.
        Refused: An item lies outside the folder, or is compressed.
    """
    folder = path if path.is_dir() else path.parent
    index = _index(folder)
    missing = sorted({p.file for p in index.places.values() if not p.file.is_file()})
    if missing:
        cause = f"its files {listed(file.name for file in missing)} are missing"
        raise Unreadable(folder, cause, "copy the whole folder")
    tree: dict[str, Any] = {}
    objects = 0
    for name, item in index.items.items():
        if item.class_name.endswith(".TensorStorageMetadata"):
            _insert(tree, _path(index, name), _tensor(index, name, item))
        elif (objects := objects + 1) <= _MOST_OBJECTS:
            _insert(tree, _path(index, name), _object(index, name))
    files = dict.fromkeys(place.file for place in index.places.values())
    return Contents(NAME, tree, (folder / _METADATA, *sorted(files)))


def _index(folder: Path) -> _Index:
    path = folder / _METADATA
    size = path.stat().st_size
    if size > _LONGEST_METADATA:
        raise Unreadable(path, f"metadata of {size:,} bytes are not ones", _AGAIN)
    root, _ = unpickle(path, opened_file(path).pread(0, size))
    state = _fields(root, "Metadata", path)
    items, storage = state.get("state_dict_metadata"), state.get("storage_data")
    if not isinstance(items, dict) or not isinstance(storage, dict):
        raise Unreadable(path, "it does not list what was saved where", _AGAIN)
    places = dict(_place(folder, key, value) for key, value in storage.items())
    items = {
        str(name): item for name, item in items.items() if isinstance(item, Opaque)
    }
    paths = state.get("planner_data")
    return _Index(folder, items, paths if isinstance(paths, dict) else {}, places)


def _fields(value: Any, kind: str, path: Path) -> dict[str, Any]:
    if (
        isinstance(value, Opaque)
        and value.class_name.endswith(f".{kind}")
        and isinstance(value.state, dict)
    ):
        return value.state
    raise Unreadable(path, f"its pickle holds no {kind} where one belongs", _AGAIN)


def _place(
    folder: Path, key: Any, value: Any
) -> tuple[tuple[str, tuple[int, ...] | None], _Place]:
    path = folder / _METADATA
    index = _fields(key, "MetadataIndex", path)
    info = _fields(value, "_StorageInfo", path)
    name = info.get("relative_path")
    span = (info.get("offset"), info.get("length"))
    offsets = index.get("offset")
    if (
        not isinstance(name, str)
        or not _are_counts(span)
        or not (offsets is None or _are_counts(offsets))
    ):
        raise Unreadable(path, "it does not say where an item lies", _AGAIN)
    if info.get("transform_descriptors"):
        kinds = shown(info["transform_descriptors"])
        cause = f"its items were transformed when saved ({kinds})"
        raise Refused(folder, cause, "save it without extensions")
    place = _Place(_inside(folder, name), *span)
    return (str(index.get("fqn")), None if offsets is None else tuple(offsets)), place


def _inside(folder: Path, name: str) -> Path:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    escapes = posix.is_absolute() or windows.anchor or ".." in windows.parts
    if not escapes and posix.parts and name.isprintable():
        return folder / posix
    cause = f"it puts items in {shown(name)}, outside of the folder"
    raise Refused(folder, cause, "the metadata are forged or moved; save it again")


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**62


def _are_counts(value: Any) -> TypeGuard[Sequence[int]]:
    return isinstance(value, list | tuple) and all(map(_is_count, value))


def _path(index: _Index, name: str) -> tuple[str, ...]:
    """Return where an item was in the nested state_dict that was saved."""
    path = index.paths.get(name)
    if not isinstance(path, tuple | list) or not 0 < len(path) <= 64:
        return (name,)
    plain = all(isinstance(key, str | int) for key in path)
    return tuple(map(str, path)) if plain else (name,)


def _insert(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for depth, key in enumerate(path[:-1]):
        inner = tree.setdefault(key, {})
        if not isinstance(inner, dict):
            tree[".".join(path[depth:])] = value
            return
        tree = inner
    last = path[-1]
    tree[last if last not in tree else ".".join(path)] = value


def _tensor(index: _Index, name: str, item: Opaque) -> StoredTensor:
    path = index.folder / _METADATA
    state = _fields(item, "TensorStorageMetadata", path)
    shape = state.get("size")
    chunks = state.get("chunks")
    properties = state.get("properties")
    if not _are_counts(shape) or not isinstance(chunks, list | tuple) or not chunks:
        cause = f"it does not describe tensor {shown(name)}"
        raise Unreadable(path, cause, _AGAIN)
    shape = tuple(shape)
    boxes = [_box(chunk, path) for chunk in chunks]
    wrong = gap(shape, boxes)
    if wrong:
        raise Unreadable(path, f"tensor {shown(name)}: {wrong}", _AGAIN)
    parts = [Chunk(o, _chunk(index, name, o, n)) for o, n in boxes]
    dtype = _dtype(properties, path)
    if any(part.tensor.dtype != dtype for part in parts):
        cause = f"tensor {shown(name)}: a chunk is not of type {dtype}"
        raise Unreadable(path, cause, _AGAIN)
    return _whole(index, name, shape, parts)


def _whole(
    index: _Index, name: str, shape: tuple[int, ...], parts: list[Chunk]
) -> StoredTensor:
    if len(parts) == 1:
        return parts[0].tensor
    first = parts[0].tensor
    unread = next((part.tensor.unread for part in parts if part.tensor.unread), None)
    try:
        numpy_dtype(first.dtype)
    except NotApplicable:
        unread = unread or f"{first.dtype} in chunks"
    if unread:
        return StoredTensor(shape, first.dtype, None, unread=unread)
    storage = ChunkedStorage(f"{index.folder}#{name}", shape, parts)
    return StoredTensor(shape, first.dtype, storage, big_endian=first.big_endian)


def _dtype(properties: Any, path: Path) -> str:
    state = properties.state if isinstance(properties, Opaque) else None
    if isinstance(state, dict):
        state = (state.get("dtype"),)
    try:
        return dtype_name(state[0] if isinstance(state, tuple) and state else None)
    except ValueError:
        raise Unreadable(path, "a tensor has no known dtype", _AGAIN) from None


def _box(chunk: Any, path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    state = _fields(chunk, "ChunkStorageMetadata", path)
    offsets, sizes = state.get("offsets"), state.get("sizes")
    if not _are_counts(offsets) or not _are_counts(sizes):
        raise Unreadable(path, "a chunk has no offsets and sizes", _AGAIN)
    return tuple(offsets or ()), tuple(sizes or ())


def _chunk(
    index: _Index, name: str, offsets: tuple[int, ...], sizes: tuple[int, ...]
) -> StoredTensor:
    place = index.places.get((name, offsets)) or index.places.get((name, None))
    if place is None:
        cause = f"it does not say where the chunk of {shown(name)} at {offsets} lies"
        raise Unreadable(index.folder / _METADATA, cause, _AGAIN)
    value = _saved(place)
    if not isinstance(value, StoredTensor) or value.shape != sizes:
        cause = f"the chunk of {shown(name)} at {offsets} is not of shape {sizes}"
        raise Unreadable(place.file, cause, _AGAIN)
    return value


def _saved(place: _Place) -> Any:
    archive = open_archive(place.file, place.offset, place.length)
    root = find_root(archive.members, "data.pkl")
    if root is None:
        raise Unreadable(place.file, "an item has no data.pkl", _AGAIN)
    return read_records(archive, root, "data.pkl", "data").value


def _object(index: _Index, name: str) -> Any:
    """Return a plain value such as the epoch; other objects are left alone."""
    place = index.places.get((name, None))
    if place is None or place.length > _LONGEST_OBJECT:
        return None
    value = _saved(place)
    return value if isinstance(value, bool | int | float | str) else None
