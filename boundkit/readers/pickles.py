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
from boundkit.numerics.collector import without_collector
from boundkit.readers.contents import Opaque
from boundkit.readers.pickle_literals import LITERALS
from boundkit.readers.pickle_machine import MOST_OBJECTS, Machine
from boundkit.readers.pickle_memo import MEMO
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
_STOP, _LONG_PUT, _GET, _BYTE, _TEXT, _MARK, _TUPLE = b".rhKX(t"
_PAIR = 0x86
_INDEX = struct.Struct("<I")
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
    MEMO.get(code) or STRUCTURES.get(code) or LITERALS.get(code) or _unknown
    for code in range(256)
)


def no_storages(_identifier: Any) -> Any:
    """Refuse every persistent id: a pickle on its own has nowhere to keep storages.

    Raises:
        ValueError: Always.
    """
    raise ValueError("it refers to storages that are not there")


def _spent() -> ValueError:
    return ValueError(f"it makes more than {MOST_OBJECTS:,} objects")


def _pay(machine: Machine) -> None:
    machine.budget -= 1
    if machine.budget < len(machine.memo):
        raise _spent()


def _execute(machine: Machine) -> Any:
    # The seven opcodes that make up most of a state_dict are spelled out here; the
    # handlers do the same, at three times the cost.
    data, memo, unpack = machine.data, machine.memo, _INDEX.unpack_from
    stack, position, below = machine.stack, machine.position, machine.below
    finished = machine.finished
    while True:
        opcode = data[position]
        position += 1
        if opcode == _LONG_PUT:
            memo[unpack(data, position)[0]] = stack[-1]
            position += 4
        elif opcode == _GET and (
            type(value := memo[data[position]]) is not Opaque or not finished
        ):
            stack.append(value)
            position += 1
        elif opcode == _BYTE:
            stack.append(data[position])
            position += 1
        elif opcode == _TEXT:
            start = position + 4
            position = start + unpack(data, position)[0]
            stack.append(str(data[start:position], "utf-8", "surrogatepass"))
        elif opcode == _MARK:
            _pay(machine)
            below.append(stack)
            machine.stack = stack = []
        elif opcode == _TUPLE and below:
            _pay(machine)
            value = tuple(stack)
            machine.stack = stack = below.pop()
            stack.append(value)
        elif opcode == _PAIR and len(stack) > 1:
            _pay(machine)
            value = stack.pop()
            stack[-1] = (stack[-1], value)
        elif opcode == _STOP:
            machine.position = position
            return stack.pop()
        else:
            machine.position = position
            _HANDLERS[opcode](machine)
            stack, position = machine.stack, machine.position
            if machine.budget < len(memo):
                raise _spent()


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
        with without_collector():
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
