"""A network with additions as the norm bounds see it: what each node does to routes.

A route is one way from the input to the output: at every addition it takes one summand.
Reads a traced ``Network`` into steps in forward order, or says why it cannot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import starmap, zip_longest
from typing import TYPE_CHECKING

from boundkit.certify.stages import (
    Stage,
    joins,
    layer_stage,
    output_rows,
    pool_partners,
    pool_stage,
    spatial,
)
from boundkit.errors import NotApplicable
from boundkit.layers.structure import structure
from boundkit.numerics.coins import activation_coin, max_pool_coin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Layer, Network, Node

__all__ = ["Step", "Steps", "has_additions", "steps"]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One node.

    Attributes:
        name: Of the node.
        inputs: Names of the nodes it reads.
        stage: What it does to positions, or None for nothing.
        layer: Name of the layer it applies, or None.
        normalizes: Whether it is a normalization with fixed factors and summands.
        constant: Whether it adds a constant at every output position.
        coins: Probability of heads of its own, none or one.
        factor: What an activation with a slope above 1 multiplies the scale by.
        sealed: Coins of every route up to this node and with it, where an activation
            acts on a sum: all its routes then toss as many coins as the longest; None
            elsewhere.
        main: Of an addition, which input carries the scale.
        first: Whether it is a layer that reads the input itself.
    """

    name: str
    inputs: tuple[str, ...]
    stage: Stage | None = None
    layer: str | None = None
    normalizes: bool = False
    constant: bool = False
    coins: tuple[float, ...] = ()
    factor: float = 1.0
    sealed: tuple[float, ...] | None = None
    main: int = 0
    first: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A network without loops.

    Attributes:
        steps: In forward order, without input and output.
        source: Name of the input node.
        last: Name of the node whose values are the output.
        head: Name of the node that applies the last layer; None where the output is a
            sum.
        layers: Number of layers, each use counted.
    """

    steps: tuple[Step, ...]
    source: str
    last: str
    head: str | None
    layers: int


@dataclass(frozen=True, slots=True)
class _Place:
    """What leads to a node.

    Attributes:
        depth: Fewest layers on a route to it.
        coins: Coins of the longest route, largest first.
        copies: How many layers' rows make up a channel of it, counted with each way.
        rows: Whether each of its channels is made of rows of layers, one per layer.
        joined: Whether positions have become features since the last layer.
        input_itself: Whether nothing but reshapes stands between the input and it.
    """

    depth: int = 0
    coins: tuple[float, ...] = ()
    copies: int = 1
    rows: bool = False
    joined: bool = False
    input_itself: bool = False


def _longest(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    """Return coins that give at least as many heads as either of two sets."""
    pairs = zip_longest(one, other, fillvalue=0.0)
    return tuple(starmap(max, pairs))


def _sum_of(places: list[_Place]) -> _Place:
    coins: tuple[float, ...] = ()
    for place in places:
        coins = _longest(coins, place.coins)
    # Where positions have become features, rows of summands no longer correspond.
    aligned = not any(place.joined for place in places)
    return _Place(
        min(place.depth for place in places),
        coins,
        sum(place.copies for place in places),
        aligned and all(place.rows for place in places),
    )


class _Reading:
    """Reads nodes in forward order."""

    def __init__(self, network: Network) -> None:
        self.nodes = {node.name: node for node in network.nodes or ()}
        self.layers = {layer.name: layer for layer in network.layers}
        self.partners = pool_partners(network.nodes or ())
        self.places: dict[str, _Place] = {}

    def read(self, node: Node) -> Step:
        """Return the step of one node, and remember what leads to it.

        Raises:
            NotApplicable: No bound covers it.
        """
        before = [self.places[name] for name in node.inputs]
        shape = self.nodes[node.inputs[0]].shape
        if node.op == "add":
            self.places[node.name] = _sum_of(before)
            depths = [place.depth for place in before]
            return Step(node.name, node.inputs, main=depths.index(min(depths)))
        if len(before) != 1:
            raise NotApplicable(f"the network branches at {node.name}")
        return self._of_one(node, before[0], shape)

    def _of_one(self, node: Node, place: _Place, shape: tuple[int, ...]) -> Step:
        step = Step(node.name, node.inputs)
        if node.op == "layer":
            layer = self.layers[node.layer or ""]
            self.places[node.name] = _Place(place.depth + 1, place.coins, rows=True)
            return replace(
                step,
                stage=layer_stage(node, layer, shape),
                layer=layer.name,
                constant=layer.bias is not None,
                first=place.input_itself,
            )
        if node.op in {"activation", "max_pool"}:
            return self._nonlinear(node, place, shape)
        stage: Stage | None = None
        after = place
        if node.op == "average_pool":
            stage, _ = pool_stage(node, shape)
            after = replace(place, input_itself=False)
        elif node.op == "flatten":
            if joins(shape, node.shape):
                stage = Stage(None, None, spatial(shape))
                after = replace(place, joined=True)
        elif node.op == "norm":
            return self._norm(node, place)
        elif node.op != "identity":
            what = node.detail or node.name
            raise NotApplicable(f"operation {what} is not covered")
        self.places[node.name] = after
        return replace(step, stage=stage)

    def _norm(self, node: Node, place: _Place) -> Step:
        if node.statistics is None:
            raise NotApplicable(f"normalization layer {node.detail or node.name}")
        self.places[node.name] = replace(place, input_itself=False)
        return Step(node.name, node.inputs, normalizes=True, constant=True)

    def _nonlinear(self, node: Node, place: _Place, shape: tuple[int, ...]) -> Step:
        stage: Stage | None = None
        coins: tuple[float, ...] = ()
        factor = 1.0
        if not place.rows:
            raise NotApplicable(_without_rows(node, place))
        if node.op == "max_pool":
            stage, largest = pool_stage(node, shape)
            coins = (max_pool_coin(largest, self.partners.get(node.name, 1.0)),)
        elif node.slope is None:
            raise NotApplicable(f"activation {node.detail or node.name}")
        elif node.name not in self.partners:
            coin, factor = activation_coin(node.slope)
            coins = (coin,)
        tossed = tuple(sorted(place.coins + coins, reverse=True))
        self.places[node.name] = replace(place, coins=tossed)
        sealed = tossed if coins and place.copies > 1 else None
        return Step(
            node.name, node.inputs, stage, coins=coins, factor=factor, sealed=sealed
        )


def _without_rows(node: Node, place: _Place) -> str:
    what = "max pooling" if node.op == "max_pool" else "activation"
    if place.copies > 1:
        return (
            f"{what} {node.name} acts on a sum with the input itself, where the rows of "
            "the identity have no norm constraint, or with positions made features"
        )
    return f"{what} {node.name} stands before any layer"


def _head(nodes: Mapping[str, Node], last: str) -> str | None:
    # None where the output is a sum.
    node = nodes[last]
    while node.op in {"flatten", "average_pool", "identity"}:
        node = nodes[node.inputs[0]]
    if node.op in {"activation", "max_pool"}:
        raise NotApplicable("the last layer is followed by an activation")
    return node.name if node.op == "layer" else None


def _require_one_position(network: Network, head: str | None, last: Node) -> None:
    layers: dict[str, Layer] = {layer.name: layer for layer in network.layers}
    nodes = {node.name: node for node in network.nodes or ()}
    values = math.prod(last.shape)
    if head is None and values != 1:
        raise NotApplicable(f"several outputs are a sum, at {last.name}")
    if head is not None and values != output_rows(layers[nodes[head].layer or ""]):
        raise NotApplicable("the output has several positions")


def has_additions(network: Network) -> bool:
    """Say whether a traced network has additions, or normalizations left in it.

    Args:
        network: Traced or not.
    """
    # Attention and recurrence rule out more than additions do, and are said first.
    if structure(network).keys() & {"attention", "recurrence"}:
        return False
    return any(node.op in {"add", "norm"} for node in network.nodes or ())


def steps(network: Network) -> Steps:
    """Return what each node of a network means for the routes through it.

    Args:
        network: Traced; additions, and normalizations with fixed statistics, may stand
            anywhere but where they would act on the input through an activation.

    Raises:
        NotApplicable: The bounds do not cover it; the message says what stands in the
            way.
    """
    if network.nodes is None:
        raise NotApplicable("the architecture is not known")
    reading = _Reading(network)
    source = next(node for node in network.nodes if node.op == "input")
    reading.places[source.name] = _Place(input_itself=True)
    found: list[Step] = []
    last = source
    for node in network.nodes:
        if node.op == "output":
            last = reading.nodes[node.inputs[0]]
        elif node.op == "input" and node.name != source.name:
            raise NotApplicable("the network has several inputs")
        elif node.op != "input":
            found.append(reading.read(node))
    head = _head(reading.nodes, last.name)
    _require_one_position(network, head, last)
    layers = sum(step.layer is not None for step in found)
    return Steps(tuple(found), source.name, last.name, head, layers)
