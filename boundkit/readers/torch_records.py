"""The records of an archive that torch wrote: a pickle, and the storages it refers to."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from boundkit.errors import Unreadable
from boundkit.readers.contents import Opaque
from boundkit.readers.dtypes import ITEMSIZE, STORAGE_TYPES
from boundkit.readers.pickles import unpickle
from boundkit.readers.quoting import listed, shown
from boundkit.types import Notice, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from boundkit.readers.zip_archive import Archive
    from boundkit.types import Storage

__all__ = ["Records", "byte_order", "find_root", "read_records", "tensors_in"]

_SLACK = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """What a pickle in an archive describes.

    Attributes:
        value: The tree.
        used: Names of the members that it took.
        notices: About storages that hold more than their tensors.
    """

    value: Any
    used: frozenset[str]
    notices: tuple[Notice, ...]


def find_root(names: Iterable[str], record: str) -> str | None:
    """Return the folder (``"archive/"`` or ``""``) in which ``record`` lies, or None."""
    found = [name for name in names if name == record or name.endswith(f"/{record}")]
    shortest = min(found, key=lambda name: (name.count("/"), name), default=None)
    return None if shortest is None else shortest.removesuffix(record)


def byte_order(archive: Archive, root: str) -> bool:
    """Return whether the storages are big-endian; archives before 2.0 do not say.

    Raises:
        Unreadable: The record says neither.
    """
    name = f"{root}byteorder"
    order = archive.content(name) if name in archive.members else b"little"
    if order not in {b"little", b"big"}:
        raise Unreadable(
            archive.path,
            f"record {shown(name)} says {shown(order[:20])}, not little or big",
            "save or download the checkpoint again",
        )
    return order == b"big"


def read_records(archive: Archive, root: str, pickle: str, folder: str) -> Records:
    """Return what the pickle ``root + pickle`` describes.

    Args:
        archive: That holds it.
        root: The folder that torch puts all records in.
        pickle: Its name.
        folder: Where its storages lie.

    Raises:
        Unreadable: A record is missing, damaged, or smaller than its tensors.
    """
    name = f"{root}{pickle}"
    declared: dict[str, int] = {}
    persistent = _storages(
        archive, f"{root}{folder}/", byte_order(archive, root), declared
    )
    value, end = unpickle(archive.path, archive.content(name), persistent)
    notices = [*_long_records(archive, declared), *_unused(value)]
    behind = archive.members[name].size - end
    if behind:
        message = f"{behind} bytes lie behind the pickle {shown(name)}"
        notices.append(Notice("trailing-bytes", message))
    return Records(value, frozenset({name, *declared}), tuple(notices))


def _storages(
    archive: Archive, prefix: str, big_endian: bool, declared: dict[str, int]
) -> Callable[[Any], Any]:
    opened: dict[str, Storage] = {}

    def persistent(identifier: Any) -> Any:
        kind, key, numel = _identifier(identifier)
        dtype = STORAGE_TYPES.get(kind)
        if dtype is None:
            return Opaque(kind, identifier)
        name = f"{prefix}{key}"
        member = archive.members.get(name)
        if member is None:
            raise ValueError(f"storage record {shown(name)} is missing")
        nbytes = numel * ITEMSIZE[dtype]
        if nbytes > member.size:
            raise ValueError(
                f"storage record {shown(name)} holds {member.size} bytes of the "
                f"{nbytes} that its tensors declare"
            )
        storage = opened.get(name)
        if storage is None:
            storage = opened[name] = archive.storage(name)
        if nbytes > declared.get(name, -1):
            declared[name] = nbytes
        return StoredTensor((numel,), dtype, storage, big_endian=big_endian)

    return persistent


def _identifier(identifier: Any) -> tuple[str, str, int]:
    if not isinstance(identifier, tuple) or len(identifier) != 5:
        raise ValueError("a persistent id is no storage")
    tag, kind, key, _, numel = identifier
    if isinstance(tag, bytes):
        tag = tag.decode("latin-1")
    if isinstance(key, int):
        key = str(key)
    right = tag == "storage" and isinstance(kind, Opaque) and isinstance(key, str)
    if not right or type(numel) is not int or not 0 <= numel < 1 << 60:
        raise ValueError("a persistent id is no storage")
    return kind.class_name, key, numel


def _long_records(archive: Archive, declared: dict[str, int]) -> Iterator[Notice]:
    longer = [n for n, nbytes in declared.items() if archive.members[n].size > nbytes]
    if longer:
        message = f"records are longer than their tensors declare: {listed(longer)}"
        yield Notice("storage-slack", message)


def tensors_in(tree: Any) -> Iterator[StoredTensor]:
    """Iterate over the tensors of a tree that may share parts and contain itself."""
    seen: set[int] = set()
    pending = [tree]
    while pending:
        value = pending.pop()
        if isinstance(value, StoredTensor):
            yield value
        elif isinstance(value, dict | list | tuple | Opaque) and id(value) not in seen:
            seen.add(id(value))
            pending.extend(_parts(value))


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, Opaque):
        return (value.state, value.items, value.elements, value.arguments)
    return tuple(value)


def _reach(tensor: StoredTensor) -> int:
    """Return how many bytes of its storage lie before its last element's end."""
    if 0 in tensor.shape:
        return 0
    if tensor.stride is None:
        last = prod(tensor.shape) - 1
    else:
        last = sum(
            (n - 1) * s for n, s in zip(tensor.shape, tensor.stride, strict=True)
        )
    return (tensor.offset + last + 1) * ITEMSIZE[tensor.dtype]


def _unused(tree: Any) -> Iterator[Notice]:
    reach: dict[str, int] = {}
    held: dict[str, int] = {}
    for tensor in tensors_in(tree):
        if tensor.storage is not None:
            key, nbytes = tensor.storage.key, tensor.storage.nbytes
            reach[key] = max(_reach(tensor), reach.get(key, 0))
            held[key] = nbytes
    idle = [held[k] - n for k, n in reach.items() if held[k] > max(2 * n, n + _SLACK)]
    if idle:
        message = (
            f"{len(idle)} storages hold {sum(idle)} bytes that no tensor uses; "
            "saved views of larger tensors do that"
        )
        yield Notice("storage-slack", message)
