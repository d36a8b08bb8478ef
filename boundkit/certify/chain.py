"""A network as the norm bounds see it: linear maps on positions, one coin per activation.

Reads a traced ``Network`` into stages in forward order, or says why it cannot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.stages import (
    Stage,
    joins,
    layer_stage,
    output_rows,
    pool_partners,
    pool_stage,
    pulled_through,
    spatial,
)
from boundkit.errors import NotApplicable
from boundkit.numerics.coins import activation_coin, max_pool_coin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from boundkit.types import Layer, Network, Node

__all__ = ["Chain", "PathCounts", "Stage", "chain", "path_counts"]


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A network without branches.

    Attributes:
        stages: In forward order.
        coins: Probability of heads of each nonlinear block, in forward order.
        factors: Per layer, what activations before it with a slope above 1 multiply
            its norm by.
    """

    stages: tuple[Stage, ...]
    coins: tuple[float, ...]
    factors: tuple[float, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers in forward order, a layer once for each use."""
        return tuple(s.layer for s in self.stages if s.layer is not None)

    @property
    def one_position(self) -> bool:
        """Whether every map has a single position, as in a dense network."""
        return all(s.edges is None for s in self.stages)


@dataclass(frozen=True, slots=True, eq=False)
class PathCounts:
    """Paths to the output.

    Attributes:
        inputs: One count per input position.
        first_outputs: One count per output position of the first layer.
        biases: Per layer in forward order, the sum over its output positions.
    """

    inputs: NDArray[np.float64]
    first_outputs: NDArray[np.float64]
    biases: tuple[float, ...]


@dataclass(slots=True)
class _Block:
    """What stands between two layers.

    Attributes:
        coins: One for each activation and max pool, one for two that share theirs.
        factor: What activations with a slope above 1 multiply.
    """

    coins: list[float]
    factor: float = 1.0


def _path(nodes: tuple[Node, ...]) -> list[Node]:
    body = [n for n in nodes if n.op not in {"input", "output"}]
    previous = next((n.name for n in nodes if n.op == "input"), None)
    for node in body:
        if node.op == "add":
            raise NotApplicable(f"residual addition at {node.name}")
        if node.op == "norm":
            raise NotApplicable(f"normalization layer {node.detail or node.name}")
        if node.op == "unknown":
            raise NotApplicable(f"operation {node.detail or node.name} is not covered")
        if node.inputs != (previous,):
            raise NotApplicable(f"the network branches at {node.name}")
        previous = node.name
    if any(n.inputs != (previous,) for n in nodes if n.op == "output"):
        raise NotApplicable("the output is not that of the last operation")
    return body


class _Walk:
    """Collects stages and coins along the path."""

    def __init__(
        self,
        layers: dict[str, Layer],
        shape: tuple[int, ...],
        partners: Mapping[str, float],
    ) -> None:
        self.layers = layers
        self.shape = shape
        self.partners = partners
        self.stages: list[Stage] = []
        self.coins: list[float] = []
        self.factors: list[float] = []
        self.block = _Block([])

    def close_block(self) -> None:
        seen_layer = any(s.layer is not None for s in self.stages)
        if not seen_layer and self.block.coins:
            raise NotApplicable("an activation or max pooling stands before any layer")
        self.coins += self.block.coins
        self.factors.append(self.block.factor)
        self.block = _Block([])

    def activate(self, node: Node) -> None:
        if node.slope is None:
            raise NotApplicable(f"activation {node.detail or node.name}")
        if node.name in self.partners:
            return
        coin, factor = activation_coin(node.slope)
        self.block.coins.append(coin)
        self.block.factor *= factor

    def pool(self, node: Node) -> None:
        stage, largest = pool_stage(node, self.shape)
        self.stages.append(stage)
        if node.op == "max_pool":
            slope = self.partners.get(node.name, 1.0)
            self.block.coins.append(max_pool_coin(largest, slope))

    def step(self, node: Node) -> None:
        if node.op == "layer":
            self.close_block()
            layer = self.layers[node.layer or ""]
            self.stages.append(layer_stage(node, layer, self.shape))
        elif node.op == "activation":
            self.activate(node)
        elif node.op in {"average_pool", "max_pool"}:
            self.pool(node)
        elif node.op == "flatten" and joins(self.shape, node.shape):
            self.stages.append(Stage(None, None, spatial(self.shape)))
        self.shape = node.shape


def chain(network: Network) -> Chain:
    """Return the network as a chain of linear maps and coins.

    Raises:
        NotApplicable: It is not one; the message says what stands in the way.
    """
    if network.nodes is None:
        raise NotApplicable("the architecture is not known")
    source = next(n for n in network.nodes if n.op == "input")
    layers = {layer.name: layer for layer in network.layers}
    walk = _Walk(layers, source.shape, pool_partners(network.nodes))
    for node in _path(network.nodes):
        walk.step(node)
    if walk.block.coins:
        raise NotApplicable("the last layer is followed by an activation")
    if not any(s.layer for s in walk.stages):
        raise NotApplicable("the network has no layer")
    last = next(s.layer for s in reversed(walk.stages) if s.layer)
    if math.prod(walk.shape) != output_rows(walk.layers[last]):
        raise NotApplicable("the output has several positions")
    stages = tuple(_merge_flatten(walk.stages))
    return Chain(stages, tuple(walk.coins), tuple(walk.factors))


def _merge_flatten(stages: list[Stage]) -> list[Stage]:
    """Give a dense layer the positions that the flattening before it saw."""
    merged: list[Stage] = []
    for stage in stages:
        before = merged[-1] if merged else None
        joined = before is not None and before.layer is None and before.edges is None
        if before is not None and joined and stage.edges is None:
            merged[-1] = replace(stage, inputs=before.inputs)
        else:
            merged.append(stage)
    return merged


def path_counts(of: Chain) -> PathCounts:
    """Count the paths from every position to the output, backwards from there."""
    counts = np.ones(())
    biases: list[float] = []
    first = counts
    for stage in reversed(of.stages):
        if stage.layer is not None:
            biases.append(float(counts.sum()))
            first = counts
        counts = pulled_through(stage, counts)
    return PathCounts(np.atleast_1d(counts), first, tuple(reversed(biases)))
