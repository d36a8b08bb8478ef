"""What a reader found in a file, before anyone has decided what the weights are."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from boundkit.types import Notice

__all__ = ["Contents", "Opaque"]


@dataclass(slots=True, eq=False)
class Opaque:
    """An object of a class that was not imported.

    Attributes:
        class_name: Such as ``"torch.nn.modules.conv.Conv2d"``.
        arguments: What the pickle would have called it with.
        state: What the pickle would have set on it (mostly its ``__dict__``).
        items: Items the pickle would have put in, for a dict subclass.
        elements: Elements the pickle would have appended, for a list subclass.
    """

    class_name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    elements: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """One file or folder, opened.

    Attributes:
        format: Such as ``"torch zip"``, ``"torch legacy"``, ``"torchscript"``,
            ``"torch.export"``, ``"safetensors"``, ``"distributed checkpoint"``.
        tree: Nested dicts, lists, tuples of ``StoredTensor``, plain scalars, strings
            and ``Opaque`` objects. May be a bare ``StoredTensor``. Acyclic objects are
            not promised: walk it with a visited set and a stack.
        files: Every file it came from.
        modules: Module path -> plain attributes (``"stride": (2, 2)``,
            ``"class": "torch.nn.modules.conv.Conv2d"``), where whole modules are stored.
        wrapping: What the reader itself unwrapped (``"pickled module"``, say).
        notices: What was odd but safe.
    """

    format: str
    tree: Any
    files: tuple[Path, ...]
    modules: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    wrapping: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
