"""Taking nodes out of a network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from boundkit.types import Node

__all__ = ["without"]


def without(nodes: tuple[Node, ...], gone: Collection[str]) -> tuple[Node, ...]:
    """Return the nodes without some, whose readers read what these read.

    Args:
        nodes: In forward order.
        gone: Names of nodes with one input each.
    """
    instead: dict[str, str] = {}
    kept = []
    for node in nodes:
        inputs = tuple(instead.get(name, name) for name in node.inputs)
        if node.name in gone:
            instead[node.name] = inputs[0]
        else:
            kept.append(replace(node, inputs=inputs))
    return tuple(kept)
