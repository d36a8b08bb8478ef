"""Network -> Network: the same function, put in the form that the theorems speak of.

To add a pass: write its file, add its line to ``PASSES``, write its test. A pass adds
its name to ``Network.rewrites`` where it changed something, and leaves alone, with the
reason in the node's detail, what it could not change exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.normalize.drop_identities import drop_identities
from boundkit.normalize.fold_norm import fold_norm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from boundkit.types import Network

__all__ = ["PASSES", "drop_identities", "fold_norm", "folded_tensors", "normalized"]

#: In the order in which they are applied.
PASSES: tuple[Callable[[Network], Network], ...] = (drop_identities, fold_norm)


def normalized(network: Network) -> Network:
    """Return the network after all passes; unchanged without an architecture.

    Args:
        network: Wired, or not.

    Raises:
        Unreadable: The bytes of running statistics are not there.
    """
    for rewrite in PASSES:
        network = rewrite(network)
    return network


def folded_tensors(before: Network, after: Network) -> Mapping[str, str]:
    """Return which tensors of normalization layers went into which layer.

    Args:
        before: The network as wired.
        after: The same after the passes.

    Returns:
        Name of a stored tensor -> name of the layer.
    """
    kept = {node.name for node in after.nodes or ()}
    nodes = {node.name: node for node in before.nodes or ()}
    found: dict[str, str] = {}
    for node in nodes.values():
        if node.statistics is None or node.name in kept:
            continue
        source = nodes[node.inputs[0]]
        while source.op == "identity":
            source = nodes[source.inputs[0]]
        found |= dict.fromkeys(node.statistics.tensors, source.layer or "")
    return found
