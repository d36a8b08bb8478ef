"""The layers of a checkpoint put in the order in which a traced network applies them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING

from boundkit.errors import ModelError
from boundkit.types import Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Kind, Network, Node, StoredTensor

__all__ = ["first_layer", "wire"]

_CONVS: dict[tuple[bool, int], Kind] = {
    (False, 1): "conv1d",
    (False, 2): "conv2d",
    (False, 3): "conv3d",
    (True, 1): "conv_transpose1d",
    (True, 2): "conv_transpose2d",
    (True, 3): "conv_transpose3d",
}


#: Of layers told from names, those whose graph shows a plain linear map.
_TABLES = frozenset({"embedding", "recurrent", "attention"})


def _informed(
    layer: Layer, node: Node, uses: int, tensors: Mapping[str, StoredTensor]
) -> Layer:
    """Return the layer as the graph shows it, whatever its name made of it."""
    bias = layer.bias if node.detail == "bias" else None
    layer = replace(
        layer, uses=uses, counted=True, bias=tensors.get(node.bias or "", bias)
    )
    if node.geometry is None:
        kind: Kind = "linear" if layer.kind in _TABLES else layer.kind
        return replace(layer, kind=kind)
    kind = _CONVS.get((node.geometry.transposed, len(node.geometry.kernel)), layer.kind)
    return replace(layer, geometry=node.geometry, kind=kind)


def _found(
    name: str, layers: Mapping[str, Layer], tensors: Mapping[str, StoredTensor]
) -> Layer:
    """Return a layer that the graph names, also where its name did not tell of one.

    Raises:
        ModelError: The checkpoint holds no such matrix.
    """
    if name in layers:
        return layers[name]
    if name in tensors and len(tensors[name].shape) > 1:
        return Layer(name, "linear", tensors[name])
    raise ModelError(
        f"the model applies {name!r}, which the checkpoint does not hold "
        "as a layer; check that model and checkpoint belong together"
    )


def _with_one_bias(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return the nodes; layers that add different biases are no longer known."""
    biases: dict[str, set[str | None]] = {}
    for node in nodes:
        if node.layer is not None:
            biases.setdefault(node.layer, set()).add(node.bias)
    several = {name for name, found in biases.items() if len(found) > 1}
    why = "layer that adds different biases in turn"
    return tuple(
        replace(node, op="unknown", layer=None, geometry=None, bias=None, detail=why)
        if node.layer in several
        else node
        for node in nodes
    )


def wire(
    network: Network,
    nodes: tuple[Node, ...],
    tensors: Mapping[str, StoredTensor] = MappingProxyType({}),
) -> Network:
    """Return the network with its architecture.

    Args:
        network: Layers as the checkpoint's tensors tell them.
        nodes: In forward order, traced from the module that these tensors fit.
        tensors: Of the checkpoint; those that nodes name become ``Network.vectors``.

    Returns:
        Layers in forward order with their geometry and number of uses, each of the
        kind that the graph shows; those that the trace does not reach come last and
        keep what was known of them.

    Raises:
        ModelError: The trace applies a layer that the checkpoint does not hold.
    """
    nodes = _with_one_bias(nodes)
    layers = {layer.name: layer for layer in network.layers}
    uses = Counter(node.layer for node in nodes if node.layer is not None)
    ordered: dict[str, Layer] = {}
    for node in nodes:
        if node.layer is None or node.layer in ordered:
            continue
        found = _found(node.layer, layers, tensors)
        ordered[node.layer] = _informed(found, node, uses[node.layer], tensors)
    for name, layer in layers.items():
        ordered.setdefault(name, layer)
    named = (node.statistics.tensors for node in nodes if node.statistics is not None)
    vectors = {n: tensors[n] for names in named for n in names if n in tensors}
    source = next(node for node in nodes if node.op == "input")
    shape = nodes[-1].shape
    return replace(
        network,
        layers=tuple(ordered.values()),
        nodes=nodes,
        input_shape=source.shape,
        outputs=prod(shape) if prod(shape[1:]) == 1 else None,
        obstacles=MappingProxyType({}),
        vectors=MappingProxyType(vectors),
    )


def first_layer(network: Network) -> Layer | None:
    """Return the layer that sees the input itself, or None if something comes before.

    Args:
        network: Traced; flattening and identities do not count as something.
    """
    layers = {layer.name: layer for layer in network.layers}
    for node in network.nodes or ():
        if node.op == "layer":
            return layers.get(node.layer or "")
        if node.op not in {"input", "identity", "flatten"}:
            return None
    return None
