"""The state of the pickle machine: what it holds, and what it may spend.

``pickle.Unpickler`` with a harmless ``find_class`` is not safe enough: a memo index of
2^31 makes it allocate gigabytes, and it hashes whatever is put in a dict, so a tuple
nested a million deep ends the process and one that shares its parts takes for ever. Here
calls are looked up in a table of pure functions, keys must be scalars or small tuples,
the memo is a dict, and every object is charged to a budget.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundkit.readers.contents import Opaque

if TYPE_CHECKING:
    import struct
    from collections.abc import Callable, Mapping
    from mmap import mmap

__all__ = ["MOST_OBJECTS", "Machine", "count", "line", "take"]

MOST_OBJECTS = 4_000_000
"""About 800,000 tensors, or 400 MB of the smallest objects."""


@dataclass(slots=True, eq=False)
class Machine:
    """The state of one unpickling.

    Attributes:
        data: The pickle, or a file that holds it.
        position: Of the next byte.
        calls: What a call of a global yields, by its dotted name; pure functions.
        finish: What an object of a class becomes once its state is set.
        persistent: What a persistent id stands for.
        names: ``id`` of a global -> its dotted name; only these can be called.
    """

    data: bytes | mmap
    position: int
    calls: Mapping[str, Callable[[Machine, tuple[Any, ...]], Any]]
    finish: Mapping[str, Callable[[Opaque], Any]]
    persistent: Callable[[Any], Any]
    stack: list[Any] = field(default_factory=list)
    below: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    classes: dict[str, Opaque] = field(default_factory=dict)
    finished: dict[int, tuple[Opaque, Any]] = field(default_factory=dict)
    budget: int = MOST_OBJECTS

    def charge(self, count: int = 1) -> None:
        """Pay for ``count`` objects.

        Raises:
            ValueError: Nothing is left.
        """
        self.budget -= count
        if self.budget < 0:
            raise ValueError(f"it makes more than {MOST_OBJECTS} objects")

    def call(self, function: Any, arguments: Any) -> Any:
        """Return what a call stands for: a table decides, nothing is run.

        Raises:
            ValueError: It is no call, or describes what cannot be.
        """
        self.budget -= 1
        if type(arguments) is not tuple:
            raise ValueError("a call has no tuple of arguments")
        name = self.names.get(id(function))
        if name is None:
            return Opaque("result of an unknown call", arguments)
        known = self.calls.get(name)
        return Opaque(name, arguments) if known is None else known(self, arguments)

    def where(self) -> str:
        """Return the dictionary keys that lead to the value being built."""
        levels = [*self.below, self.stack]
        found = (
            next((v for v in reversed(level[-4:]) if type(v) is str), None)
            for level in levels
        )
        keys = [key for key in found if key is not None and len(key) < 200]
        return ".".join(keys[-8:]) or "(unnamed)"


def take(machine: Machine, size: int) -> bytes:
    """Return the next ``size`` bytes.

    Raises:
        ValueError: They are not there.
    """
    start = machine.position
    stop = start + size
    if size < 0 or stop > len(machine.data):
        raise ValueError("it is truncated, or a length in it is wrong")
    machine.position = stop
    return machine.data[start:stop]


def line(machine: Machine) -> bytes:
    """Return the rest of the line.

    Raises:
        ValueError: It has no end.
    """
    end = machine.data.find(b"\n", machine.position)
    if end < 0:
        raise ValueError("it is truncated: a line has no end")
    text = machine.data[machine.position : end]
    machine.position = end + 1
    return text


def count(machine: Machine, layout: struct.Struct) -> int:
    """Return the next integer.

    Raises:
        struct.error: It is not there.
    """
    (value,) = layout.unpack_from(machine.data, machine.position)
    machine.position += layout.size
    return int(value)
