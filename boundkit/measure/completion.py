"""Norms that only bounds ask for: of the head by its margins, of unrolled convolutions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from boundkit.measure.affine import affine_sizes
from boundkit.measure.norms import head_norms
from boundkit.measure.toeplitz_norms import toeplitz_norms
from boundkit.measure.unrolled import head_matrix, is_plain_chain, matrix_norms

if TYPE_CHECKING:
    from boundkit.types import Layer, Network, Norms

__all__ = ["MOST_LAYERS", "completed"]

#: Layers up to which matrices are unrolled; no bound that uses them survives so many.
MOST_LAYERS = 1024


def completed(network: Network, sizes: Norms) -> Norms:
    """Add the head as the bounds count it and unrolled norms, where bounds can use them.

    Args:
        network: Traced or not.
        sizes: Norms of its weights.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    counted = [layer for layer in network.layers if layer.counted]
    hopeless = {"attention", "recurrent", "embedding", "normalization"}
    if not counted or hopeless & set(network.obstacles):
        return sizes
    if not all(0 < sizes.weight[layer.name] < math.inf for layer in counted):
        return sizes
    sizes = replace(
        sizes, toeplitz=toeplitz_norms(network), affine=affine_sizes(network)
    )
    last = _last(network)
    separable = last is not None and _separable(last)
    if last is not None and len(counted) <= MOST_LAYERS and is_plain_chain(network):
        matrix = matrix_norms(network)
        head = head_matrix(network, last, matrix.get(last.name), separable=separable)
        sizes = replace(sizes, matrix=matrix, head_matrix=head)
    if last is None or not separable:
        return sizes
    weight, bias = head_norms(last)
    return replace(sizes, head=weight, head_bias=bias)


def _last(network: Network) -> Layer | None:
    applied = [node.layer for node in network.nodes or () if node.layer is not None]
    layers = {layer.name: layer for layer in network.layers if layer.counted}
    return layers.get(applied[-1]) if applied else list(layers.values())[-1]


def _separable(last: Layer) -> bool:
    if last.kind == "linear":
        return True
    # Rows of different groups see different channels: their difference is no row.
    shared = last.geometry is not None and last.geometry.groups == 1
    return shared and last.kind in {"conv1d", "conv2d", "conv3d"}
