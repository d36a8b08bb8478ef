"""Pickles, described: nothing in a file is imported, called or built.

A class becomes an ``Opaque`` that says what the pickle would have done with it. The
calls by which torch, numpy and a few standard classes store plain data are looked up in
a table of pure functions; every other call stays a description, whatever it would run.
"""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.errors import Unreadable
from boundkit.readers.pickle_literals import LITERALS
from boundkit.readers.pickle_machine import Machine
from boundkit.readers.pickle_plain import FINISH_PLAIN, PLAIN
from boundkit.readers.pickle_structures import STRUCTURES
from boundkit.readers.pickle_tensors import TENSORS, finish_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from mmap import mmap

__all__ = ["CALLS", "no_storages", "unpickle"]

CALLS: Mapping[str, Callable[[Machine, tuple[Any, ...]], Any]] = MappingProxyType({
    **PLAIN,
    **TENSORS,
})
"""What calls yield; pure functions."""

_FINISH = MappingProxyType({**FINISH_PLAIN, "numpy.ndarray": finish_array})
_STOP = ord(".")
_DAMAGE = (
    KeyError,
    TypeError,
    OverflowError,
    AttributeError,
    MemoryError,
    RecursionError,
    struct.error,
)


def _unknown(machine: Machine) -> None:
    opcode = machine.data[machine.position - 1]
    raise ValueError(f"byte {opcode:#04x} is no opcode")


_HANDLERS = tuple(
    STRUCTURES.get(code) or LITERALS.get(code) or _unknown for code in range(256)
)


def no_storages(_identifier: Any) -> Any:
    """Refuse every persistent id: a pickle on its own has nowhere to keep storages.

    Raises:
        ValueError: Always.
    """
    raise ValueError("it refers to storages that are not there")


def _execute(machine: Machine) -> Any:
    data, handlers = machine.data, _HANDLERS
    while True:
        opcode = data[machine.position]
        machine.position += 1
        if opcode == _STOP:
            return machine.stack.pop()
        handlers[opcode](machine)


def unpickle(
    source: object,
    data: bytes | mmap,
    persistent: Callable[[Any], Any] = no_storages,
    start: int = 0,
    calls: Mapping[str, Callable[[Machine, tuple[Any, ...]], Any]] = CALLS,
) -> tuple[Any, int]:
    """Return what a pickle describes, and where it ends.

    Args:
        source: What the error names.
        data: The bytes, or a mapped file.
        persistent: What a persistent id stands for; raises ``ValueError``.
        start: Where the pickle begins in ``data``.
        calls: What a call of a class or function yields, by dotted name.

    Returns:
        The value (nested dicts, lists, tuples, scalars, strings, ``StoredTensor`` and
        ``Opaque``; cycles and shared parts survive) and the position behind it.

    Raises:
        Unreadable: It is damaged, or asks for more than can be stored.
    """  # noqa: DOC501 - _broken makes the Unreadable
    machine = Machine(data, start, calls, _FINISH, persistent)
    try:
        return _execute(machine), machine.position
    except IndexError as error:
        cause = "it is truncated or its stack runs empty"
        raise _broken(source, machine.position, cause) from error
    except _DAMAGE as error:
        cause = f"it does not fit together ({type(error).__name__})"
        raise _broken(source, machine.position, cause) from error
    except ValueError as error:
        raise _broken(source, machine.position, str(error)) from error


def _broken(source: object, position: int, cause: str) -> Unreadable:
    return Unreadable(
        source,
        f"its pickle cannot be read at byte {position}: {cause}",
        "save or download the checkpoint again",
    )
