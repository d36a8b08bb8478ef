"""A network as a chain of matrices on whole maps, with what stands between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING

from boundkit.certify.bound import Missing
from boundkit.measure.completion import MOST_LAYERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.certify.chain import Chain
    from boundkit.certify.stages import Stage
    from boundkit.types import (
        Assumption,
        Layer,
        MatrixNorms,
        Network,
        Norms,
    )

__all__ = [
    "Matrix",
    "Unrolled",
    "biased_layers",
    "lipschitz_of_max",
    "log_sums",
    "unroll",
]

_MANY = (
    f"matrices of more than {MOST_LAYERS:,} layers are not unrolled, since the product of "
    "their norms proves nothing"
)
_UNSEEN = (
    "unrolling needs the size of every map: give --model and --data or --input-shape"
)


@dataclass(frozen=True, slots=True)
class Matrix:
    """One layer on whole maps.

    Attributes:
        name: Of the layer.
        sizes: Of its matrix and bias; of the last one as margins see it.
        frobenius: Frobenius norm of its matrix.
        before: Lipschitz constant of pooling and activations between the layer before
            and this one; 1 for ReLU.
    """

    name: str
    sizes: MatrixNorms
    frobenius: float
    before: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Unrolled:
    """A network of matrices.

    Attributes:
        matrices: In forward order, a layer once for each use.
        after: Lipschitz constant of pooling behind the last layer.
        width: Size of the largest map.
        inputs: Number of input coordinates.
        nonlinear: Number of nonlinear blocks.
        windows: Product of the window sizes of max pools.
        biased: Whether some layer has a bias, whatever its value.
    """

    matrices: tuple[Matrix, ...]
    after: float
    width: int
    inputs: int
    nonlinear: int
    windows: int
    biased: bool


def biased_layers(network: Network) -> frozenset[str]:
    """Return the layers that have a bias; that it came out as 0 is not fixed in advance.

    Args:
        network: Its layers.
    """
    return frozenset(x.name for x in network.layers if x.bias is not None)


def lipschitz_of_max(stage: Stage) -> float:
    """Return the Lipschitz constant of max pooling in Euclidean norm.

    ``|max a - max b| <= max |a - b|``, so squares add up to the number of windows that
    an input is in; 1 for windows that do not overlap.

    Args:
        stage: A max pooling.
    """
    edges = stage.edges or ()
    return math.sqrt(math.prod(float(e.present().out_of().max()) for e in edges))


def _window(stage: Stage) -> int:
    edges = stage.edges or ()
    return math.prod(int(e.present().into().max()) for e in edges)


def _between(of: Chain) -> tuple[list[float], float]:
    """Return per layer the Lipschitz constant of what stands before it, and behind all."""
    before: list[float] = []
    pooling = 1.0
    slopes = iter(of.factors)
    for stage in of.stages:
        if stage.layer is not None:
            before.append(pooling * next(slopes))
            pooling = 1.0
        else:
            pooling *= lipschitz_of_max(stage) if stage.maximum else stage.factor
    return before, pooling


def _matrices(
    names: list[str], before: list[float], norms: Norms, *, local: frozenset[str]
) -> tuple[Matrix, ...]:
    sizes = [norms.matrix[name] for name in names]
    frobenius = [(norms.toeplitz if n in local else norms.weight)[n] for n in names]
    if norms.head_matrix is not None:
        if norms.head is not None and names[-1] not in local:
            frobenius[-1] = norms.head
        elif sizes[-1] != norms.head_matrix:
            # The difference of two rows is at most sqrt(2) times the norm of both.
            frobenius[-1] *= math.sqrt(2)
        sizes[-1] = norms.head_matrix
    return tuple(starmap(Matrix, zip(names, sizes, frobenius, before, strict=True)))


def unroll(
    of: Chain | None,
    network: Network,
    norms: Norms,
    assumptions: tuple[Assumption, ...],
) -> Unrolled:
    """Return the network as matrices on whole maps.

    Args:
        of: The network as a chain, or None without an architecture; then all its layers
            must be dense.
        network: The same.
        norms: With the sizes of the unrolled matrices.
        assumptions: What is known so far, for the error.

    Raises:
        Missing: Convolutions and no architecture, or too many layers.
    """
    if sum(x.counted for x in network.layers) > MOST_LAYERS:
        raise Missing(_MANY, assumptions=assumptions)
    if of is None:
        return _dense(network, norms, assumptions)
    if any(name not in norms.matrix for name in of.layers):
        raise Missing(_UNSEEN, assumptions=assumptions)
    before, after = _between(of)
    local = frozenset(x.name for x in network.layers if x.kind != "linear")
    nodes = network.nodes or ()
    shapes = [math.prod(node.shape) for node in nodes]
    source = next(node for node in nodes if node.op == "input")
    return Unrolled(
        _matrices(list(of.layers), before, norms, local=local),
        after,
        max(shapes),
        math.prod(source.shape),
        len(of.coins),
        math.prod(_window(s) for s in of.stages if s.layer is None and s.maximum),
        bool(biased_layers(network) & set(of.layers)),
    )


def _dense(
    network: Network, norms: Norms, assumptions: tuple[Assumption, ...]
) -> Unrolled:
    layers: list[Layer] = [x for x in network.layers if x.counted]
    names = [x.name for x in layers]
    if any(x.kind != "linear" or x.name not in norms.matrix for x in layers):
        raise Missing(_UNSEEN, assumptions=assumptions)
    return Unrolled(
        _matrices(names, [1.0] * len(names), norms, local=frozenset()),
        1.0,
        max(max(x.weight.shape) for x in layers),
        layers[0].weight.shape[1],
        len(layers) - 1,
        1,
        bool(biased_layers(network)),
    )


def log_sums(weights: Sequence[float], biases: Sequence[float]) -> list[float]:
    """Return log ``P_0 .. P_L`` of ``P_l = P_{l-1} (w_l + b_l / P_{l-1})``, ``P_0 = 1``.

    Where norms of a layer and its bias add up: each bias counts relative to the layers
    before it, as if a constant 1 stood beside the input.

    Args:
        weights: (L,) positive norms in forward order.
        biases: (L,) norms, 0 where there is none.
    """
    logs = [0.0]
    for weight, bias in zip(weights, biases, strict=True):
        step = math.log(weight)
        if bias > 0:
            relative = math.log(bias) - logs[-1]
            high, low = max(step, relative), min(step, relative)
            step = high + math.log1p(math.exp(low - high))
        logs.append(logs[-1] + step)
    return logs
