"""What a graph holds that theorems about networks ask for, found node by node."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Network, Node

__all__ = ["claims_homogeneity", "structure"]

#: In class names of modules, and of calls that attend.
_ATTENTION = ("attention", "transformer")
#: In class names of modules, and of ATen's calls.
_RECURRENT = ("LSTM", "GRU", "RNN", "aten.lstm.", "aten.gru.", "aten.rnn_")


def _sort(node: Node) -> str | None:
    """Return what sort of finding a node is, None for a plain layer or reshape."""
    plain: dict[str, str] = {
        "add": "residual additions",
        "norm": "normalization layers",
        "average_pool": "average pooling",
        "max_pool": "max pooling",
    }
    if node.op in plain:
        return plain[node.op]
    if node.op == "layer":
        return "biases" if node.detail == "bias" else None
    if node.op == "activation":
        return "ReLU" if node.slope == 0 else "LeakyReLU"
    if node.op != "unknown":
        return None
    if any(word in node.detail.lower() for word in _ATTENTION):
        return "attention"
    if any(word in node.detail for word in _RECURRENT):
        return "recurrence"
    return "other operations"


def structure(network: Network) -> Mapping[str, tuple[str, ...]]:
    """Return what was found in the graph, in the order of first appearance.

    Args:
        network: Wired; nothing is found without an architecture.

    Returns:
        Biases, ReLU, LeakyReLU, normalization layers, residual additions, average and
        max pooling, attention, recurrence, other operations -> names of their nodes.
    """
    found: dict[str, list[str]] = {}
    for node in network.nodes or ():
        sort = _sort(node)
        if sort is not None:
            found.setdefault(sort, []).append(node.name)
    return {sort: tuple(names) for sort, names in found.items()}


def claims_homogeneity(network: Network, biased: frozenset[str]) -> bool | None:
    """Say whether f(s x) = s f(x) for s > 0 follows from the graph.

    Args:
        network: Wired.
        biased: Layers whose bias is not zero.

    Returns:
        True if each node has it, False if only biases stand against it, None if there
        are normalization layers or operations that the graph does not describe.
    """
    nodes = network.nodes or ()
    if not nodes or any(n.op in {"norm", "unknown"} for n in nodes):
        return None
    return not any(n.layer in biased and n.detail == "bias" for n in nodes)
