"""``torch.save`` files up to 1.5: five pickles, then the bytes of every storage.

Layout: ``_legacy_save`` in ``torch/serialization.py``. Storages are little-endian
whatever machine wrote them (``torch/csrc/serialization.cpp``), so ``sys_info`` does not
matter. Old tar files (before 0.1.10) are refused elsewhere.
"""

from __future__ import annotations

import mmap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from boundkit.errors import Unreadable
from boundkit.readers.contents import Contents, Opaque
from boundkit.readers.dtypes import ITEMSIZE, STORAGE_TYPES
from boundkit.readers.modules import unfold
from boundkit.readers.pickles import unpickle
from boundkit.readers.quoting import shown
from boundkit.readers.ranged import fill
from boundkit.readers.storage import FileStorage, opened_file
from boundkit.types import Notice, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from boundkit.types import Storage

__all__ = ["NAME", "describe", "mapped", "read", "recognizes"]

NAME = "torch legacy"
_MAGIC = 0x1950A86A20F9469CFC6C
_MAGIC_BYTES = _MAGIC.to_bytes(10, "little")
_AGAIN = "save or download the checkpoint again"


def recognizes(path: Path, head: bytes) -> bool:
    """Return whether it begins with the magic number, in any pickle protocol."""
    del path
    return _MAGIC_BYTES in head[:24] or head.startswith(f"L{_MAGIC}L\n".encode())


def read(path: Path) -> Contents:
    """Return what the file describes; nothing in it is run.

    Raises:
        Unreadable: It is truncated or damaged.
        Refused: Its modules are nested without end.
    """
    file = opened_file(path)

    def storage(offset: int, nbytes: int) -> Storage:
        return FileStorage(path, offset, nbytes, file)

    with mapped(path) as data:
        tree, position = describe(path, data, storage)
        behind = len(data) - position
    unfolded = unfold(path, tree)
    notices = list(unfolded.notices())
    if behind:
        message = f"{behind} bytes lie behind the last storage"
        notices.append(Notice("trailing-bytes", message))
    wrapping = ("pickled module",) if unfolded.modules else ()
    return Contents(
        NAME, unfolded.tree, (path,), unfolded.modules, wrapping, tuple(notices)
    )


def describe(
    source: object,
    data: bytes | mmap.mmap,
    storage: Callable[[int, int], Storage],
) -> tuple[Any, int]:
    """Return the tree of such a file, and where its last storage ends.

    Args:
        source: What errors name.
        data: The bytes of the file.
        storage: Makes the storage at an offset with a number of bytes.

    Raises:
        Unreadable: It is truncated or damaged.
    """
    magic, position = unpickle(source, data)
    if magic != _MAGIC:
        raise Unreadable(source, "the magic number is wrong", _AGAIN)
    _, position = unpickle(source, data, start=position)
    _, position = unpickle(source, data, start=position)
    begin = position
    declared: dict[str, tuple[str, int]] = {}
    # Offsets are known only once the pickle has been read, hence twice.
    _, position = unpickle(source, data, _recorder(declared), begin, {})
    keys, position = unpickle(source, data, start=position)
    places, position = _locate(source, data, keys, declared, position)
    storages = {key: storage(*place) for key, place in places.items()}
    tree, _ = unpickle(source, data, _finder(storages), begin)
    return tree, position


@contextmanager
def mapped(path: Path) -> Generator[mmap.mmap]:
    """Map a file for reading.

    Raises:
        Unreadable: It cannot be opened.
    """
    try:
        # A pickle says nowhere how long it is, so there are no ranges to choose.
        fill(path, 0, path.stat().st_size)
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            yield data
    except (OSError, ValueError) as error:
        cause = f"cannot be read ({error})"
        raise Unreadable(path, cause, "check the disk and the permissions") from error


def _fields(identifier: Any) -> tuple[str, str, int, Any]:
    # Storage class, key, number of elements, view.
    if not isinstance(identifier, tuple) or len(identifier) not in {5, 6}:
        raise ValueError("a persistent id is no storage")
    tag, kind, key, _, numel, *rest = identifier
    right = tag in {"storage", b"storage"} and isinstance(kind, Opaque)
    if not right or type(numel) is not int or not 0 <= numel < 1 << 60:
        raise ValueError("a persistent id is no storage")
    return kind.class_name, _key(key), numel, rest[0] if rest else None


def _key(key: Any) -> str:
    if isinstance(key, bytes):
        return key.decode("latin-1")
    if not isinstance(key, str | int):
        raise ValueError("a storage has no key")  # noqa: TRY004 - becomes Unreadable
    return str(key)


def _module_class(identifier: Any) -> Any:
    """Return the class of ``("module", class, file, source)``, else None."""
    if isinstance(identifier, tuple) and len(identifier) == 4:
        tag, kind, _, _ = identifier
        return kind if tag in {"module", b"module"} else None
    return None


def _recorder(declared: dict[str, tuple[str, int]]) -> Any:
    def persistent(identifier: Any) -> Any:
        kind = _module_class(identifier)
        if kind is not None:
            return kind
        name, key, numel, _ = _fields(identifier)
        declared.setdefault(key, (name, numel))
        return Opaque(name)

    return persistent


def _finder(storages: Mapping[str, Storage]) -> Any:
    def persistent(identifier: Any) -> Any:
        kind = _module_class(identifier)
        if kind is not None:
            return kind
        name, key, numel, cut = _fields(identifier)
        dtype = STORAGE_TYPES.get(name)
        if dtype is None:
            return Opaque(name, identifier)
        if key not in storages:
            raise ValueError(f"storage {shown(key)} is not in the file")
        storage = storages[key]
        offset, length = (0, numel) if cut is None else _cut(cut)
        if (offset + length) * ITEMSIZE[dtype] > storage.nbytes:
            raise ValueError(
                f"storage {shown(key)} is smaller than its tensors declare"
            )
        return StoredTensor((length,), dtype, storage, offset)

    return persistent


def _cut(cut: Any) -> tuple[int, int]:
    # Offset and length of the part of a storage that is a storage itself.
    _, offset, length = cut
    if type(offset) is not int or type(length) is not int or min(offset, length) < 0:
        raise ValueError("the view of a storage makes no sense")
    return offset, length


def _locate(
    source: object,
    data: bytes | mmap.mmap,
    keys: Any,
    declared: Mapping[str, tuple[str, int]],
    position: int,
) -> tuple[dict[str, tuple[int, int]], int]:
    # Key -> offset and bytes; the storages follow each other, each behind its length.
    if not isinstance(keys, list):
        raise Unreadable(source, "the list of storages is damaged", _AGAIN)
    found: dict[str, tuple[int, int]] = {}
    for raw in keys:
        key = str(raw) if isinstance(raw, str | int) else ""
        name, numel = declared.get(key, ("", 0))
        item = ITEMSIZE.get(STORAGE_TYPES.get(name, ""))
        if item is None:
            raise Unreadable(source, f"storage {shown(key)} has no known type", _AGAIN)
        stored = int.from_bytes(data[position : position + 8], "little")
        begin = position + 8
        position = begin + stored * item
        if position > len(data):
            raise Unreadable(source, f"truncated in storage {shown(key)}", _AGAIN)
        if stored != numel:
            cause = f"storage {shown(key)} has {stored} elements instead of {numel}"
            raise Unreadable(source, cause, _AGAIN)
        found[key] = (begin, stored * item)
    return found, position
