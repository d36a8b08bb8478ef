"""Opcodes of pickle that push a literal: numbers, strings, bytes, constants.

Opcodes: PEP 307, PEP 3154, PEP 574 and ``pickletools``.
"""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.readers.contents import Opaque
from boundkit.readers.pickle_machine import count, line, take

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boundkit.readers.pickle_machine import Machine

__all__ = ["LITERALS"]

_LONGEST_INTEGER = 1024
_LONGEST_NUMBER = 400
_U1, _U2, _I4 = struct.Struct("<B"), struct.Struct("<H"), struct.Struct("<i")
_U4, _U8, _F8 = struct.Struct("<I"), struct.Struct("<Q"), struct.Struct(">d")


def _number(machine: Machine) -> bytes:
    text = line(machine)
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters")
    return text


def _skip(layout: struct.Struct) -> Callable[[Machine], None]:
    def skip(machine: Machine) -> None:
        take(machine, layout.size)

    return skip


def _constant(value: Any) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(value)


def _integer(layout: struct.Struct) -> Callable[[Machine], None]:
    unpack, size = layout.unpack_from, layout.size

    def integer(machine: Machine) -> None:
        machine.stack.append(unpack(machine.data, machine.position)[0])
        machine.position += size

    return integer


def _float(machine: Machine) -> None:
    (value,) = _F8.unpack_from(machine.data, machine.position)
    machine.position += 8
    machine.stack.append(value)


def _float_line(machine: Machine) -> None:
    machine.stack.append(float(_number(machine)))


def _integer_line(machine: Machine) -> None:
    text = _number(machine)
    known = {b"00": False, b"01": True}
    machine.stack.append(known[text] if text in known else int(text))


def _long_line(machine: Machine) -> None:
    machine.stack.append(int(_number(machine).rstrip(b"L")))


def _long(layout: struct.Struct) -> Callable[[Machine], None]:
    def long(machine: Machine) -> None:
        raw = take(machine, count(machine, layout))
        huge = len(raw) > _LONGEST_INTEGER
        value = Opaque("int") if huge else int.from_bytes(raw, "little", signed=True)
        machine.stack.append(value)

    return long


def _text(layout: struct.Struct) -> Callable[[Machine], None]:
    unpack, size = layout.unpack_from, layout.size

    def text(machine: Machine) -> None:
        data, start = machine.data, machine.position + size
        stop = start + unpack(data, machine.position)[0]
        if stop > len(data):
            raise ValueError("it is truncated, or the length of a string is wrong")
        machine.position = stop
        machine.stack.append(str(data[start:stop], "utf-8", "surrogatepass"))

    return text


def _text_line(machine: Machine) -> None:
    machine.stack.append(str(line(machine), "raw-unicode-escape"))


def _bytes(layout: struct.Struct) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(take(machine, count(machine, layout)))


def _text_or_bytes(raw: bytes) -> str | bytes:
    """Decode a string of Python 2, which had one type for both."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def _string(layout: struct.Struct) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(
        _text_or_bytes(take(machine, count(machine, layout)))
    )


def _string_line(machine: Machine) -> None:
    text = line(machine).strip()
    if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in {b"'", b'"'}:
        raise ValueError("a string has no quotes")
    unescaped = str(text[1:-1], "unicode_escape").encode("latin-1", "replace")
    machine.stack.append(_text_or_bytes(unescaped))


def _protocol(machine: Machine) -> None:
    if (version := count(machine, _U1)) > 5:
        raise ValueError(f"its protocol is {version}, and the last known one is 5")


LITERALS: Mapping[int, Callable[[Machine], None]] = MappingProxyType({
    0x80: _protocol,
    0x95: _skip(_U8),
    ord("N"): _constant(None),
    0x88: _constant(True),
    0x89: _constant(False),
    ord(")"): _constant(()),
    ord("I"): _integer_line,
    ord("J"): _integer(_I4),
    ord("K"): _integer(_U1),
    ord("M"): _integer(_U2),
    ord("L"): _long_line,
    0x8A: _long(_U1),
    0x8B: _long(_I4),
    ord("F"): _float_line,
    ord("G"): _float,
    ord("S"): _string_line,
    ord("T"): _string(_I4),
    ord("U"): _string(_U1),
    ord("V"): _text_line,
    ord("X"): _text(_U4),
    0x8C: _text(_U1),
    0x8D: _text(_U8),
    ord("B"): _bytes(_U4),
    ord("C"): _bytes(_U1),
    0x8E: _bytes(_U8),
    0x96: _bytes(_U8),
})
"""What each opcode does."""
