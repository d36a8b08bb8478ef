"""Dotted names in TorchScript code: of modules, functions and constants."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["dotted"]

_ROOTS = frozenset({"__torch__", "torch", "ops", "CONSTANTS"})


def dotted(node: ast.expr, taken: Container[str]) -> str | None:
    """Return a name such as ``"torch.nn"``, None for anything that is no such name.

    Args:
        node: An expression.
        taken: Names of local variables, which hide the others.
    """
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in _ROOTS or node.id in taken:
        return None
    return ".".join([node.id, *reversed(parts)])
