"""Whole pickled modules, unfolded into what ``state_dict()`` would have returned.

The classes are not needed: ``torch.nn.Module`` keeps parameters, buffers and children
in three dictionaries of its own, whatever the subclass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundkit.errors import Refused
from boundkit.readers.contents import Opaque
from boundkit.readers.quoting import listed
from boundkit.types import Notice, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Unfolded", "label", "plain_attributes", "unfold"]

_DEEPEST = 200
_MOST_MODULES = 200_000
_LONGEST = 200
_LONGEST_NAME = 1000


@dataclass(slots=True, eq=False)
class Unfolded:
    """A tree without modules.

    Attributes:
        tree: With a dict of dotted names in the place of every module.
        modules: Module path, from the root of the tree -> plain attributes.
        attributes: Dotted names of tensors that are neither parameters nor
            persistent buffers, so that ``state_dict()`` leaves them out.
    """

    tree: Any
    modules: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    attributes: list[str] = field(default_factory=list)

    def notices(self) -> tuple[Notice, ...]:
        """Return what is said about the tensors that were left out."""
        if not self.attributes:
            return ()
        message = (
            "tensors that are attributes or transient buffers of modules are left out, "
            f"as state_dict() does: {listed(self.attributes)}"
        )
        return (Notice("tensor-attribute", message),)


def unfold(source: object, tree: Any) -> Unfolded:
    """Return the tree with every module in it unfolded; the tree is changed.

    Args:
        source: What the error names.
        tree: Nested dicts, lists, tuples and ``Opaque``; may contain itself.

    Raises:
        Refused: Modules are nested more than 200 deep, or without end.
    """
    result = Unfolded(tree)
    flat: dict[int, dict[str, Any]] = {}
    holder = [tree]
    pending: list[tuple[Any, tuple[Any, ...]]] = [(holder, ())]
    seen = {id(holder)}
    while pending:
        container, path = pending.pop()
        for key, child in list(_entries(container)):
            inner = () if container is holder else (path, key)
            state = _module_state(child)
            if state is not None:
                if id(child) not in flat:
                    flat[id(child)] = _flatten(source, child, _dotted(inner), result)
                container[key] = flat[id(child)]
            elif isinstance(child, tuple) and any(map(_module_state, child)):
                container[key] = list(child)
                pending.append((container[key], inner))
            elif id(child) not in seen:
                seen.add(id(child))
                pending.extend((part, inner) for part in _containers(child))
    result.tree = holder[0]
    return result


def _containers(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Opaque):
        state = value.state if isinstance(value.state, tuple) else (value.state,)
        parts = (*state, value.items, value.elements)
        return tuple(part for part in parts if isinstance(part, dict | list))
    return (value,) if isinstance(value, dict | list | tuple) else ()


def _entries(container: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(container, dict):
        yield from container.items()
    else:
        yield from enumerate(container)


def _dotted(path: tuple[Any, ...]) -> str:
    keys: list[str] = []
    while path and len(keys) < _DEEPEST:
        path, key = path
        keys.append(label(key))
    return ".".join(reversed(keys))


def _module_state(value: Any) -> dict[Any, Any] | None:
    if type(value) is not Opaque:
        return None
    state = (
        value.state[0]
        if isinstance(value.state, tuple) and value.state
        else value.state
    )
    if not isinstance(state, dict):
        return None
    kept = (state.get("_parameters"), state.get("_modules"))
    return state if all(isinstance(part, dict) for part in kept) else None


def _flatten(
    source: object, root: Opaque, path: str, result: Unfolded
) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    pending: list[tuple[Any, str, int]] = [(root, "", 0)]
    while pending:
        module, prefix, depth = pending.pop()
        state = _module_state(module)
        if state is None:
            continue
        if depth > _DEEPEST or len(result.modules) > _MOST_MODULES:
            cause = "its modules are nested without end"
            raise Refused(source, cause, "save the state_dict alone")
        where = ".".join(part for part in (path, prefix.removesuffix(".")) if part)
        result.modules[where] = {
            "class": module.class_name,
            **plain_attributes(state),
            **({"altered": True} if _is_altered(state) else {}),
        }
        _take_tensors(state, prefix, flat, result)
        children = [
            (child, f"{prefix}{label(name)}.", depth + 1)
            for name, child in state["_modules"].items()
        ]
        pending.extend(reversed(children))
    return flat


def _is_altered(state: Mapping[Any, Any]) -> bool:
    """Return whether the object does something else than its class says."""
    hooks = (state.get("_forward_pre_hooks"), state.get("_forward_hooks"))
    return "forward" in state or any(hooks)


def _take_tensors(
    state: dict[Any, Any], prefix: str, flat: dict[str, Any], result: Unfolded
) -> None:
    buffers = state.get("_buffers")
    transient = state.get("_non_persistent_buffers_set")
    skipped = set(filter(_is_name, transient if isinstance(transient, list) else ()))
    for name, value in state["_parameters"].items():
        if value is not None:
            flat[f"{prefix}{label(name)}"] = value
    for name, value in buffers.items() if isinstance(buffers, dict) else ():
        if name in skipped:
            result.attributes.append(f"{prefix}{label(name)}")
        elif value is not None:
            flat[f"{prefix}{label(name)}"] = value
    result.attributes.extend(
        f"{prefix}{label(name)}"
        for name, value in state.items()
        if isinstance(value, StoredTensor)
    )


def _is_name(value: Any) -> bool:
    return type(value) is str


def label(key: Any) -> str:
    """Return a dictionary key as part of a name; objects are not spelled out."""
    if isinstance(key, str):
        return key[:_LONGEST_NAME]
    return str(key) if isinstance(key, int | float) else type(key).__name__


def plain_attributes(state: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the public scalars, strings and small tuples among the attributes."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in state.items()
        if type(name) is str and not name.startswith("_") and _is_simple(value)
    }


def _is_simple(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return len(value) <= 16 and all(
            not isinstance(part, tuple | list) and _is_simple(part) for part in value
        )
    if isinstance(value, str):
        return len(value) <= _LONGEST
    return value is None or isinstance(value, bool | int | float)
