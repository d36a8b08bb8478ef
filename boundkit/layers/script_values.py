"""What the variables of followed TorchScript code stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundkit.errors import NotApplicable

if TYPE_CHECKING:
    import torch
    from torch import fx

__all__ = [
    "NN",
    "UNKNOWN",
    "NotFollowed",
    "Place",
    "ScriptFunction",
    "ScriptMethod",
    "ScriptObject",
    "ScriptTensor",
    "TooMuch",
    "tensors_of",
    "torch_class",
]

#: How the names of torch's own modules begin.
NN = "__torch__.torch.nn."
_CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict"})


class NotFollowed(NotApplicable):
    """The code does something that is not known before it runs."""


class TooMuch(NotApplicable):
    """The code asks for more than a network needs."""


class _Unknown:
    """A number, string or the like that only a run would tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()


class _Memory:
    """Stands for the numbers that several views share."""


@dataclass(slots=True, eq=False)
class ScriptTensor:
    """A tensor of which at most the shape is known.

    Attributes:
        node: The call that gives it; moves on when the tensor is written to.
        like: A tensor of its shape without numbers; None if the shape is not known.
        memory: Shared by all views of the same numbers.
        stale: Whether it was written to through another view.
        transposed: The stored matrix that it is the transpose of, or None.
    """

    node: fx.Node
    like: torch.Tensor | None
    memory: object = field(default_factory=_Memory)
    stale: bool = False
    transposed: ScriptTensor | None = None

    @property
    def stored(self) -> bool:
        """Whether it is an attribute or a constant."""
        return self.node.op == "get_attr"


@dataclass(frozen=True, slots=True, eq=False)
class ScriptObject:
    """An object of the archive, by the path that leads to it from the root."""

    path: str
    class_name: str
    state: dict[Any, Any]

    def inner(self, name: str) -> str:
        """Return the path of an attribute."""
        return f"{self.path}.{name}" if self.path else name


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the module the code that is followed stands.

    Attributes:
        path: Of the module whose method it is.
        label: Class of that module, if it is one of torch's own layers.
        depth: How many calls deep.
    """

    path: str = ""
    label: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class ScriptFunction:
    """A function by its qualified name, of the archive or of torch."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ScriptMethod:
    """A method of an object, or of a list."""

    owner: Any
    name: str


def tensors_of(value: Any) -> list[ScriptTensor]:
    """Return the tensors in a value, those inside lists and dictionaries too."""
    if isinstance(value, ScriptTensor):
        return [value]
    if isinstance(value, dict):
        return tensors_of(list(value.values()))
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in tensors_of(part)]
    return []


def torch_class(owner: ScriptObject) -> str:
    """Return the class of one of torch's own layers, "" of any other module."""
    name = owner.class_name.rpartition(".")[2]
    ours = owner.class_name.startswith(NN) and name not in _CONTAINERS
    return name if ours else ""
