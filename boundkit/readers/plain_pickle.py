"""Pickles on their own: ``pickle.dump`` of a state_dict, a module or numpy arrays.

Tensors in them are bytes within the pickle (``torch.storage._load_from_bytes``), which
are themselves a legacy ``torch.save`` file of one storage.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.readers.contents import Contents, Opaque
from boundkit.readers.modules import unfold
from boundkit.readers.pickles import CALLS, unpickle
from boundkit.readers.storage import ArrayStorage
from boundkit.readers.torch_legacy import describe, mapped
from boundkit.types import Notice

if TYPE_CHECKING:
    from pathlib import Path

    from boundkit.readers.pickle_machine import Machine

__all__ = ["NAME", "read", "recognizes"]

NAME = "pickle"


def recognizes(path: Path, head: bytes) -> bool:
    """Return whether it begins as a pickle of protocol 2 to 5, or is called one."""
    binary = head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}
    return binary or path.suffix.lower() in {".pkl", ".pickle"}


def read(path: Path) -> Contents:
    """Return what the pickle describes; nothing in it is run.

    Raises:
        Unreadable: It is truncated or damaged.
        Refused: Its modules are nested without end.
    """

    def storage(_machine: Machine, arguments: tuple[Any, ...]) -> Any:
        (data,) = arguments
        if not isinstance(data, bytes):
            return Opaque("torch.storage._load_from_bytes", arguments)
        return describe(path, data, lambda at, n: ArrayStorage(data[at : at + n]))[0]

    inner = {"torch.storage._load_from_bytes": storage}
    calls = MappingProxyType({**CALLS, **inner})
    with mapped(path) as data:
        tree, position = unpickle(path, data, calls=calls)
        behind = len(data) - position
    unfolded = unfold(path, tree)
    notices = list(unfolded.notices())
    if behind:
        message = f"{behind} bytes lie behind the pickle and were not read"
        notices.append(Notice("trailing-bytes", message))
    wrapping = ("pickled module",) if unfolded.modules else ()
    return Contents(
        NAME, unfolded.tree, (path,), unfolded.modules, wrapping, tuple(notices)
    )
