"""Puts a BatchNorm in eval mode into the layer before it.

Its running statistics are functions of the sample. The theorems hold for all weights at
once, so they cover folded weights, whatever these were computed from.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from boundkit.layers.computed import computed
from boundkit.normalize.rewiring import without
from boundkit.numerics.blocks import array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from boundkit.types import BatchStatistics, Layer, Network, Node, StoredTensor

    Vector = NDArray[np.float64]

__all__ = ["affine", "fold_norm"]


def fold_norm(network: Network) -> Network:
    """Return the network with each BatchNorm folded that directly follows a layer.

    ``W <- s W`` per output channel and ``b <- shift + s (b - mean)``, with
    ``s = scale / sqrt(variance + eps)``, in float64; a bias is created where there is
    none. One that cannot be folded exactly stays, its detail says why.

    Args:
        network: Wired in eval mode; without an architecture it is left as it is.

    Raises:
        Unreadable: The bytes of running statistics are not there.
    """
    if network.nodes is None:
        return network
    layers = {layer.name: layer for layer in network.layers}
    readers = Counter(name for node in network.nodes for name in node.inputs)
    uses = Counter(node.layer for node in network.nodes if node.op == "layer")
    nodes = {node.name: node for node in network.nodes}
    gone: set[str] = set()
    for node in network.nodes:
        if node.op != "norm":
            continue
        source = nodes[node.inputs[0]]
        layer = layers.get(source.layer or "")
        shared = readers[source.name] > 1 or uses[source.layer] > 1
        why = _hindrance(node, source, layer, network.vectors, shared=shared)
        if why or layer is None or node.statistics is None:
            nodes[node.name] = replace(
                node, detail=f"{node.detail} (not folded: {why})"
            )
            continue
        biased = source.detail == "bias"
        factor, shift = affine(node.statistics, network.vectors)
        layers[layer.name] = _folded(layer, factor, shift, biased=biased)
        nodes[source.name] = replace(source, detail="bias")
        gone.add(node.name)
    rewrites = (*network.rewrites, "fold_norm") if gone else network.rewrites
    return replace(
        network,
        layers=tuple(layers.values()),
        nodes=without(tuple(nodes.values()), gone),
        rewrites=rewrites,
    )


def _hindrance(
    node: Node,
    source: Node,
    layer: Layer | None,
    vectors: Mapping[str, StoredTensor],
    *,
    shared: bool,
) -> str:
    """Say why a normalization cannot be folded, "" if it can."""
    if node.statistics is None:
        batch = "BatchNorm" in node.detail
        return "it keeps no running statistics" if batch else "it depends on the input"
    if source.op != "layer" or layer is None:
        return "it does not directly follow a layer"
    if shared:
        return f"{layer.name} or its output is used elsewhere too"
    if source.detail == "bias" and layer.bias is None:
        return f"the bias of {layer.name} is not stored beside it"
    parts = [layer.weight, layer.bias, *map(vectors.get, node.statistics.tensors)]
    if any(p is None for p in parts[2:]):
        return "its statistics are not in the checkpoint"
    if any(p is not None and p.storage is None for p in parts):
        return "numbers are missing"
    channels = _channels(layer)
    if any(p is not None and p.shape != (channels,) for p in parts[1:]):
        return f"it does not fit the {channels} channels of {layer.name}"
    factor, shift = affine(node.statistics, vectors)
    if not (np.isfinite(factor).all() and np.isfinite(shift).all()):
        return "its statistics are not finite"
    return ""


def _channels(layer: Layer) -> int:
    if layer.geometry is not None and layer.geometry.transposed:
        return layer.weight.shape[1] * layer.geometry.groups
    return layer.weight.shape[0]


def affine(
    statistics: BatchStatistics, vectors: Mapping[str, StoredTensor]
) -> tuple[Vector, Vector]:
    """Return the factor and the summand per channel of a BatchNorm in eval mode.

    Args:
        statistics: Names its tensors.
        vectors: Tensors by name.

    Returns:
        (channels,) each; () where it has no statistics and no parameters.

    Raises:
        Unreadable: The bytes of running statistics are not there.
    """

    def read(name: str | None, default: float) -> Vector:
        if name is None:
            return np.full((), default)
        return np.asarray(array(vectors[name]), np.float64)

    mean, variance = read(statistics.mean, 0), read(statistics.variance, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = read(statistics.scale, 1) / np.sqrt(variance + statistics.eps)
        return factor, read(statistics.shift, 0) - factor * mean


def _folded(layer: Layer, factor: Vector, shift: Vector, *, biased: bool) -> Layer:
    def weight() -> Vector:
        values = np.asarray(array(layer.weight), np.float64)
        return _scaled(values, factor, layer)

    def bias() -> Vector:
        if not biased or layer.bias is None:
            return shift
        return shift + factor * np.asarray(array(layer.bias), np.float64)

    name = f"fold_norm:{layer.name}"
    return replace(
        layer,
        weight=computed(name, layer.weight.shape, weight),
        bias=computed(f"{name}:bias", (_channels(layer),), bias),
    )


def _scaled(values: Vector, factor: Vector, layer: Layer) -> Vector:
    """Multiply each output channel of a weight."""
    if layer.geometry is None or not layer.geometry.transposed:
        return values * factor.reshape(-1, *(1,) * (values.ndim - 1))
    # (inputs, outputs / groups, ...): the inputs of one group share their outputs.
    groups = layer.geometry.groups
    apart = values.reshape(groups, -1, *values.shape[1:])
    per_group = factor.reshape(groups, 1, -1, *(1,) * (values.ndim - 2))
    return (apart * per_group).reshape(values.shape)
