"""Opcodes of pickle that build: containers, calls of classes, object state.

Opcodes: PEP 307, PEP 3154, PEP 574 and ``pickletools``.
"""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.readers.contents import Opaque
from boundkit.readers.dtypes import DTYPES
from boundkit.readers.pickle_machine import count, line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boundkit.readers.pickle_machine import Machine

__all__ = ["STRUCTURES"]

_U1, _U2, _U4 = struct.Struct("<B"), struct.Struct("<H"), struct.Struct("<I")
_MODULES = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "numpy._core.multiarray": "numpy.core.multiarray",
    "numpy._core.numeric": "numpy.core.numeric",
}


def _mark(machine: Machine) -> None:
    machine.budget -= 1
    machine.below.append(machine.stack)
    machine.stack = []


def _to_mark(machine: Machine) -> list[Any]:
    items = machine.stack
    machine.stack = machine.below.pop()
    return items


def _pop_mark(machine: Machine) -> None:
    _to_mark(machine)


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        _to_mark(machine)


def _duplicate(machine: Machine) -> None:
    machine.stack.append(machine.stack[-1])


def _empty(make: Callable[[], Any]) -> Callable[[Machine], None]:
    def empty(machine: Machine) -> None:
        machine.budget -= 1
        machine.stack.append(make())

    return empty


def _tuple_of(count: int) -> Callable[[Machine], None]:
    def make(machine: Machine) -> None:
        machine.budget -= 1
        if len(machine.stack) < count:
            raise IndexError("the stack is empty")
        machine.stack[-count:] = [tuple(machine.stack[-count:])]

    return make


def _tuple(machine: Machine) -> None:
    machine.budget -= 1
    items = tuple(_to_mark(machine))
    machine.stack.append(items)


def _list(machine: Machine) -> None:
    machine.budget -= 1
    items = _to_mark(machine)
    machine.stack.append(items)


def _dict(machine: Machine) -> None:
    machine.budget -= 1
    items = _to_mark(machine)
    made: dict[Any, Any] = {}
    _set_items(made, items)
    machine.stack.append(made)


def _hashes_at_once(key: Any) -> bool:
    # Integers beyond 2^60 can be chosen to hash alike, which takes quadratic time.
    return not isinstance(key, tuple | list | dict) and not (
        type(key) is int and abs(key) >> 60
    )


def _as_key(key: Any) -> Any:
    # Scalars and small flat tuples stay.
    if isinstance(key, list | dict):
        raise TypeError("unhashable")
    if type(key) is tuple:
        plain = len(key) <= 16 and all(map(_hashes_at_once, key))
    else:
        plain = _hashes_at_once(key)
    return key if plain else Opaque("dictionary key", (key,))


def _set_items(target: Any, items: list[Any]) -> None:
    if isinstance(target, Opaque):
        target = target.items
    if type(target) is not dict or len(items) % 2:
        raise ValueError("items are set on what is no dictionary")
    for index in range(0, len(items), 2):
        key = items[index]
        target[key if type(key) is str else _as_key(key)] = items[index + 1]


def _set_item(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _set_items(machine.stack[-1], [key, value])


def _set_many(machine: Machine) -> None:
    items = _to_mark(machine)
    _set_items(machine.stack[-1], items)


def _extend(target: Any, items: list[Any]) -> None:
    if isinstance(target, Opaque):
        target = target.elements
    if type(target) is not list:
        raise ValueError("elements are appended to what is no list")
    target.extend(items)


def _append(machine: Machine) -> None:
    item = machine.stack.pop()
    _extend(machine.stack[-1], [item])


def _append_many(machine: Machine) -> None:
    items = _to_mark(machine)
    _extend(machine.stack[-1], items)


def _find(machine: Machine, module: str, name: str) -> Any:
    if module == "torch" and name in DTYPES:
        return f"torch.{DTYPES[name]}"
    dotted = f"{_MODULES.get(module, module)}.{name}"
    found = machine.classes.get(dotted)
    if found is None:
        machine.budget -= 1
        found = machine.classes[dotted] = Opaque(dotted)
        machine.names[id(found)] = dotted
    return found


def _global(machine: Machine) -> None:
    module, name = str(line(machine), "utf-8"), str(line(machine), "utf-8")
    machine.stack.append(_find(machine, module, name))


def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise ValueError("the name of a class is no string")
    machine.stack.append(_find(machine, module, name))


def _extension(layout: struct.Struct) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(
        Opaque(f"copyreg extension {count(machine, layout)}")
    )


def _reduce(machine: Machine) -> None:
    arguments, function = machine.stack.pop(), machine.stack[-1]
    machine.stack[-1] = machine.call(function, arguments)


def _new_with_keywords(machine: Machine) -> None:
    keywords, arguments = machine.stack.pop(), machine.stack.pop()
    made = machine.call(machine.stack[-1], arguments)
    if type(made) is Opaque and type(keywords) is dict:
        made.items = keywords
    machine.stack[-1] = made


def _instance(machine: Machine) -> None:
    _global(machine)
    made = machine.stack.pop()
    arguments = tuple(_to_mark(machine))
    machine.stack.append(machine.call(made, arguments))


def _object(machine: Machine) -> None:
    items = _to_mark(machine)
    machine.stack.append(machine.call(items[0], tuple(items[1:])))


def _build(machine: Machine) -> None:
    state, target = machine.stack.pop(), machine.stack[-1]
    if type(target) is not Opaque or id(target) in machine.names:
        return
    if type(target.state) is dict and type(state) is dict:
        machine.charge(len(state))
        target.state.update(state)
    else:
        target.state = state
    finish = machine.finish.get(target.class_name)
    if finish is not None:
        machine.budget -= 1
        machine.stack[-1] = finish(target)
        machine.finished[id(target)] = (target, machine.stack[-1])


def _persistent_line(machine: Machine) -> None:
    machine.stack.append(machine.persistent(str(line(machine), "ascii")))


def _persistent(machine: Machine) -> None:
    machine.stack.append(machine.persistent(machine.stack.pop()))


STRUCTURES: Mapping[int, Callable[[Machine], None]] = MappingProxyType({
    ord("("): _mark,
    ord("0"): _pop,
    ord("1"): _pop_mark,
    ord("2"): _duplicate,
    ord("]"): _empty(list),
    ord("}"): _empty(dict),
    0x8F: _empty(list),
    ord("l"): _list,
    ord("d"): _dict,
    ord("t"): _tuple,
    0x85: _tuple_of(1),
    0x86: _tuple_of(2),
    0x87: _tuple_of(3),
    0x91: _list,
    ord("a"): _append,
    ord("e"): _append_many,
    0x90: _append_many,
    ord("s"): _set_item,
    ord("u"): _set_many,
    ord("c"): _global,
    0x93: _stack_global,
    ord("i"): _instance,
    ord("o"): _object,
    ord("R"): _reduce,
    0x81: _reduce,
    0x92: _new_with_keywords,
    ord("b"): _build,
    ord("P"): _persistent_line,
    ord("Q"): _persistent,
    0x82: _extension(_U1),
    0x83: _extension(_U2),
    0x84: _extension(_U4),
})
"""What each opcode does; sets become lists, which need no hashing."""
