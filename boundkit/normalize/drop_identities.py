"""Leaves out what does nothing in eval mode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from boundkit.normalize.rewiring import without

if TYPE_CHECKING:
    from boundkit.types import Network

__all__ = ["drop_identities"]


def drop_identities(network: Network) -> Network:
    """Return the network without dropout, identities and copies.

    Args:
        network: Wired in eval mode; without an architecture it is left as it is.
    """
    gone = {node.name for node in network.nodes or () if node.op == "identity"}
    if network.nodes is None or not gone:
        return network
    return replace(
        network,
        nodes=without(network.nodes, gone),
        rewrites=(*network.rewrites, "drop_identities"),
    )
