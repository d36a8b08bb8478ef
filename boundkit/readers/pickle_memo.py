"""Opcodes of pickle that keep a value in the memo and fetch it again.

The memo is a dict, so that an index of 2^31 costs no more than one of 1.
"""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING

from boundkit.readers.contents import Opaque
from boundkit.readers.pickle_machine import count, line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boundkit.readers.pickle_machine import Machine

__all__ = ["MEMO"]

_U4 = struct.Struct("<I")


def _index_line(machine: Machine) -> int:
    return int(line(machine)[:20])


def _recall(machine: Machine, index: int) -> None:
    value = machine.memo[index]
    if type(value) is Opaque and id(value) in machine.finished:
        value = machine.finished[id(value)][1]
    machine.stack.append(value)


def _get_line(machine: Machine) -> None:
    _recall(machine, _index_line(machine))


def _get_short(machine: Machine) -> None:
    position = machine.position
    machine.position = position + 1
    _recall(machine, machine.data[position])


def _get_long(machine: Machine) -> None:
    _recall(machine, count(machine, _U4))


def _put_line(machine: Machine) -> None:
    machine.memo[_index_line(machine)] = machine.stack[-1]


def _put_short(machine: Machine) -> None:
    position = machine.position
    machine.position = position + 1
    machine.memo[machine.data[position]] = machine.stack[-1]


def _put_long(machine: Machine) -> None:
    (index,) = _U4.unpack_from(machine.data, machine.position)
    machine.position += 4
    machine.memo[index] = machine.stack[-1]


def _memoize(machine: Machine) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


MEMO: Mapping[int, Callable[[Machine], None]] = MappingProxyType({
    ord("g"): _get_line,
    ord("h"): _get_short,
    ord("j"): _get_long,
    ord("p"): _put_line,
    ord("q"): _put_short,
    ord("r"): _put_long,
    0x94: _memoize,
})
"""What each opcode does."""
