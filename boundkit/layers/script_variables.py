"""How TorchScript code takes values apart and gives them names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from boundkit.layers.script_values import UNKNOWN, NotFollowed, ScriptTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Parts = Callable[[ScriptTensor, int], list[ScriptTensor]]

__all__ = ["assign", "bind", "item"]


def bind(
    definition: ast.FunctionDef,
    given: Sequence[Any],
    keywords: dict[str, Any],
    value_of: Callable[[ast.expr], Any],
) -> dict[str, Any]:
    """Return the local variables with which a function begins.

    Args:
        definition: The function.
        given: Arguments by position.
        keywords: Arguments by name.
        value_of: Gives the value of a default.

    Raises:
        NotFollowed: There are too many arguments, or too few.
    """
    names = [argument.arg for argument in definition.args.args]
    if len(given) > len(names):
        raise NotFollowed(f"{definition.name!a} is given too many arguments")
    defaults = definition.args.defaults
    optional = names[len(names) - len(defaults) :]
    scope: dict[str, Any] = {
        name: value_of(default)
        for name, default in zip(optional, defaults, strict=True)
    }
    scope |= dict(zip(names, given, strict=False)) | keywords
    missing = [name for name in names if name not in scope]
    if missing:
        raise NotFollowed(f"{definition.name!a} is not given {missing[0]!a}")
    return scope


def assign(target: ast.expr, value: Any, scope: dict[str, Any], parts: Parts) -> None:
    """Give a value, or its parts, the names on the left of an assignment.

    Args:
        target: What stands there.
        value: The value.
        scope: The local variables, which change.
        parts: Takes apart a result of which only the call is known.

    Raises:
        NotFollowed: It changes an object, or the value has another number of parts.
    """
    if isinstance(target, ast.Name):
        scope[target.id] = value
        return
    if not isinstance(target, ast.Tuple):
        raise NotFollowed("its code changes attributes or items")
    if isinstance(value, ScriptTensor):
        value = parts(value, len(target.elts))
    if value is UNKNOWN:
        value = [UNKNOWN] * len(target.elts)
    if not isinstance(value, list | tuple) or len(value) != len(target.elts):
        raise NotFollowed("its code takes apart what only a run would tell")
    for inner, part in zip(target.elts, value, strict=True):
        assign(inner, part, scope, parts)


def item(owner: Any, index: Any, parts: Parts) -> Any:
    """Return an item of a list, tuple, dictionary or tensor, ``UNKNOWN`` if not known.

    Args:
        owner: That holds it.
        index: Which one.
        parts: Takes apart a result of which only the call is known.
    """
    if isinstance(owner, ScriptTensor):
        return parts(owner, 1)[0]
    if isinstance(owner, dict) and isinstance(index, str | int):
        return owner.get(index, UNKNOWN)
    right = isinstance(owner, list | tuple) and type(index) is int
    if not right or not -len(owner) <= index < len(owner):
        return UNKNOWN
    return owner[index]
