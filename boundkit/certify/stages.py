"""What single nodes of a traced network do to positions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.numerics.path_counts import (
    average_edges,
    conv_edges,
    max_edges,
    pull_back,
    push_forward,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from boundkit.numerics.path_counts import Edges
    from boundkit.types import Geometry, Layer, Node

__all__ = [
    "Stage",
    "all_pulled_through",
    "joins",
    "layer_stage",
    "output_rows",
    "pool_partners",
    "pool_stage",
    "pulled_through",
    "pushed_through",
    "spatial",
]


#: Values that are worked on at once, 16 MiB of them.
_CHUNK = 2**21


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One linear map on positions.

    Attributes:
        layer: Name of the layer, or None for pooling.
        edges: Per axis; None joins every input position to the one output position.
        inputs: Spatial shape of the input map.
        factor: Bound on the operator norm of average pooling, else 1.
        maximum: Whether it is max pooling.
    """

    layer: str | None
    edges: tuple[Edges, ...] | None
    inputs: tuple[int, ...]
    factor: float = 1.0
    maximum: bool = False


def spatial(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes along positions of a map; a vector has one position.

    Args:
        shape: (channels, positions...) or (features,).
    """
    return shape[1:] if len(shape) > 1 else ()


def joins(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Say whether a reshape makes one position of several.

    Args:
        before: Shape of one sample.
        after: The same values after.
    """
    return math.prod(spatial(before)) > 1 and math.prod(spatial(after)) == 1


def pulled_through(stage: Stage, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the path counts of the positions before a map from those after it.

    Args:
        stage: The map.
        counts: (outputs...) in any shape of as many values.
    """
    if stage.edges is None:
        return np.full(stage.inputs, float(counts.sum()))
    # Flattening may have renumbered the positions on the way, in their order.
    return pull_back(counts.reshape([e.shape[0] for e in stage.edges]), stage.edges)


def all_pulled_through(
    stage: Stage, counts: Sequence[NDArray[np.float64]]
) -> list[NDArray[np.float64]]:
    """Return what ``pulled_through`` makes of each of several counts, in one go.

    Args:
        stage: The map.
        counts: Each (outputs...) in any shape of as many values.
    """
    if stage.edges is None:
        return [pulled_through(stage, each) for each in counts]
    shape = tuple(e.shape[0] for e in stage.edges)
    step = max(1, _CHUNK // math.prod(shape))
    found: list[NDArray[np.float64]] = []
    for start in range(0, len(counts), step):
        some = [each.reshape(shape) for each in counts[start : start + step]]
        found += list(pull_back(np.stack(some), stage.edges))
    return found


def pushed_through(stage: Stage, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted sums that a map reads at each of its output positions.

    Args:
        stage: The map.
        values: (inputs...) in any shape of as many values.
    """
    if stage.edges is None:
        return np.asarray(values.sum())
    return push_forward(values.reshape([e.shape[1] for e in stage.edges]), stage.edges)


def output_rows(layer: Layer) -> int:
    """Return the number of output channels of a layer.

    Args:
        layer: Any.
    """
    if layer.geometry is not None and layer.geometry.transposed:
        return layer.weight.shape[1] * layer.geometry.groups
    return layer.weight.shape[0]


def _check_size(node: Node, edges: tuple[Edges, ...]) -> None:
    sizes = tuple(e.shape[0] for e in edges)
    # A mean over all positions may drop their axes.
    if sizes != spatial(node.shape) and (math.prod(sizes), len(node.shape)) != (1, 1):
        raise NotApplicable(f"the window arithmetic of {node.name} is not understood")


def _fitting(node: Node, geometry: Geometry | None, shape: tuple[int, ...]) -> Geometry:
    if geometry is None:
        raise NotApplicable(f"the geometry of {node.name} is not known")
    # torch takes a vector without a batch axis for a map of several positions.
    if len(geometry.kernel) != len(spatial(shape)):
        raise NotApplicable(f"the window of {node.name} moves over features")
    return geometry


def layer_stage(node: Node, layer: Layer, shape: tuple[int, ...]) -> Stage:
    """Return what a layer does to positions.

    Args:
        node: That applies it.
        layer: The layer.
        shape: Of its input, for one sample.

    Raises:
        NotApplicable: The window is not understood.
    """
    name = layer.name
    if node.detail == "bias" and layer.bias is None:
        raise NotApplicable(f"layer {name} adds a bias that is not stored beside it")
    if layer.kind == "linear":
        if len(shape) != 1:
            raise NotApplicable(f"layer {name} is applied along {len(shape) - 1} axes")
        return Stage(name, None, ())
    # One weight may be used with several geometries: the node knows its own.
    geometry = _fitting(node, node.geometry or layer.geometry, shape)
    edges = tuple(conv_edges(geometry, spatial(shape)))
    _check_size(node, edges)
    return Stage(name, edges, spatial(shape))


def pool_stage(node: Node, shape: tuple[int, ...]) -> tuple[Stage, int]:
    """Return what pooling does to positions, and the size of its largest window.

    Args:
        node: A pool.
        shape: Of its input, for one sample.

    Raises:
        NotApplicable: The window is not understood.
    """
    geometry = _fitting(node, node.geometry, shape)
    kind = average_edges if node.op == "average_pool" else max_edges
    edges = tuple(kind(geometry, spatial(shape)))
    _check_size(node, edges)
    largest = 1
    factor = 1.0
    for axis in conv_edges(geometry, spatial(shape)):
        largest *= int(axis.into().max())
    for axis in average_edges(geometry, spatial(shape)):
        # sqrt(largest column sum x largest row sum) bounds the operator norm.
        factor *= math.sqrt(float(axis.out_of().max()))
    maximum = node.op == "max_pool"
    return Stage(None, edges, spatial(shape), factor, maximum), largest


def pool_partners(network_nodes: tuple[Node, ...]) -> Mapping[str, float]:
    """Return which max pools and activations share a coin, with the slope of the latter.

    Args:
        network_nodes: In forward order.

    Returns:
        Name of a max pool, and of the activation of slope in [0, 1] right before or
        after it that nothing else reads -> slope.
    """
    nodes = {node.name: node for node in network_nodes}
    readers: dict[str, list[Node]] = {}
    for node in nodes.values():
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    found: dict[str, float] = {}
    for node in nodes.values():
        if node.op != "max_pool":
            continue
        around = [nodes[node.inputs[0]], *readers.get(node.name, ())[:1]]
        for other, source in zip(around, (around[0], node), strict=False):
            alone = len(readers.get(source.name, ())) == 1
            slope = other.slope
            monotone = slope is not None and 0 <= slope <= 1
            if slope is not None and monotone and alone and other.name not in found:
                found |= dict.fromkeys((node.name, other.name), slope)
                break
    return found
