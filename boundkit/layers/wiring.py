"""The layers of a checkpoint put in the order in which a traced network applies them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING

from boundkit.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Kind, Layer, Network, Node, StoredTensor

__all__ = ["first_layer", "wire"]

_CONVS: dict[tuple[bool, int], Kind] = {
    (False, 1): "conv1d",
    (False, 2): "conv2d",
    (False, 3): "conv3d",
    (True, 1): "conv_transpose1d",
    (True, 2): "conv_transpose2d",
    (True, 3): "conv_transpose3d",
}


def _informed(layer: Layer, node: Node, uses: int) -> Layer:
    if node.geometry is None:
        return replace(layer, uses=uses)
    kind = _CONVS.get((node.geometry.transposed, len(node.geometry.kernel)), layer.kind)
    return replace(layer, geometry=node.geometry, kind=kind, uses=uses)


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
        Layers in forward order with their geometry and number of uses; those that the
        trace does not reach come last and keep what was known of them.

    Raises:
        ModelError: The trace applies a layer that the checkpoint does not hold.
    """
    layers = {layer.name: layer for layer in network.layers}
    uses = Counter(node.layer for node in nodes if node.layer is not None)
    ordered: dict[str, Layer] = {}
    for node in nodes:
        if node.layer is None or node.layer in ordered:
            continue
        if node.layer not in layers:
            raise ModelError(
                f"the model applies {node.layer!r}, which the checkpoint does not hold "
                "as a layer; check that model and checkpoint belong together"
            )
        ordered[node.layer] = _informed(layers[node.layer], node, uses[node.layer])
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
