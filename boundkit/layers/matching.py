"""Names of a module's tensors as the checkpoint spells them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from torch import nn

    from boundkit.types import BatchStatistics, Checkpoint, Node

__all__ = ["in_checkpoint", "stored_name"]


def stored_name(
    module: nn.Module, checkpoint: Checkpoint, layers: Collection[str]
) -> Callable[[str], str]:
    """Return what turns a module's name of a tensor into the checkpoint's.

    One prefix may differ, a tied tensor may be stored under the name of its twin, and a
    weight that is stored in pieces goes by the name of its layer.

    Args:
        module: Fits the checkpoint.
        checkpoint: Its tensors and aliases.
        layers: Names of the layers, which win over other names of the same numbers.
    """
    theirs, ours = _prefixes(checkpoint.tensors, list(module.state_dict()))
    tied = _groups(
        (id(p), name) for name, p in module.named_parameters(remove_duplicate=False)
    )
    pairs = [(first, alias) for alias, first in checkpoint.aliases.items()]
    views = _groups([*((first, first) for first, _ in pairs), *pairs])

    def find(name: str) -> str:
        twins = (theirs + t.removeprefix(ours) for t in tied.get(name, (name,)))
        known = [same for twin in twins for same in views.get(twin, (twin,))]
        stored = (same for same in known if same in checkpoint.tensors)
        return next((s for s in known if s in layers), next(stored, known[0]))

    return find


def _groups(pairs: Iterable[tuple[object, str]]) -> Mapping[str, tuple[str, ...]]:
    """Return for each name all names with its key, itself first."""
    members: dict[object, dict[str, None]] = {}
    for key, name in pairs:
        members.setdefault(key, {})[name] = None
    return {
        name: (name, *(other for other in group if other != name))
        for group in members.values()
        for name in group
    }


def _prefixes(stored: Collection[str], wanted: Collection[str]) -> tuple[str, str]:
    """Return the prefix that only the stored names have, and that only the module's."""
    if not stored or set(stored) & set(wanted):
        return "", ""
    first = next(iter(stored))
    for name in wanted:
        if name.endswith(f".{first}"):
            return "", name.removesuffix(first)
        if first.endswith(f".{name}"):
            return first.removesuffix(name), ""
    return "", ""


def in_checkpoint(
    nodes: tuple[Node, ...], find: Callable[[str], str]
) -> tuple[Node, ...]:
    """Return the nodes with the checkpoint's names of tensors.

    Args:
        nodes: Traced from a module.
        find: What `stored_name` returned.
    """
    return tuple(
        replace(
            node,
            layer=None if node.layer is None else find(node.layer),
            bias=None if node.bias is None else find(node.bias),
            statistics=_renamed(node.statistics, find),
        )
        for node in nodes
    )


def _renamed(
    statistics: BatchStatistics | None, find: Callable[[str], str]
) -> BatchStatistics | None:
    if statistics is None:
        return None
    return replace(
        statistics,
        mean=find(statistics.mean),
        variance=find(statistics.variance),
        scale=None if statistics.scale is None else find(statistics.scale),
        shift=None if statistics.shift is None else find(statistics.shift),
    )
