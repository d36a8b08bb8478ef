"""The bound for local connectivity in which depth costs a logarithm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.bound import Bound, Missing, Outcome
from boundkit.certify.chain import Chain
from boundkit.certify.opening import opening
from boundkit.certify.premises import PREMISES
from boundkit.certify.rademacher import (
    Complexity,
    conclude,
    log_product,
    norms_in_order,
)
from boundkit.certify.stages import Stage, pushed_through
from boundkit.certify.unrolled import biased_layers
from boundkit.types import Assumption

if TYPE_CHECKING:
    from boundkit.types import Evidence, Network, Norms

__all__ = [
    "SPARSE_CNN_LOG",
    "Sources",
    "as_dense",
    "degree",
    "sources",
    "sparse_cnn_log",
]


@dataclass(frozen=True, slots=True)
class Sources:
    """What a sup over a network with one output is opened into, layer by layer.

    Attributes:
        log_choices: Sum of the logarithms of the numbers of positions chosen among.
        log_spread: Logarithm of what the energy at the chosen source is multiplied by.
        energy: Largest mean energy of a source.
    """

    log_choices: float
    log_spread: float
    energy: float


def degree(stage: Stage) -> float:
    """Return the largest number of input positions that an output position reads.

    Args:
        stage: A layer or a flattening; padding that copies inputs counts taps.
    """
    if stage.edges is None:
        return float(math.prod(stage.inputs))
    return math.prod(float(edge.into().max()) for edge in stage.edges)


def _first_energy(
    of: Chain, evidence: Evidence | None, input_norm: float
) -> tuple[float, int]:
    """Return the largest energy of a patch of the first layer, and where that stands."""
    first = next(i for i, s in enumerate(of.stages) if s.layer is not None)
    start = of.stages[0]
    total = input_norm**2 if evidence is None else evidence.mean_square_norm
    seen = None if evidence is None else evidence.position_energy
    size = math.prod(e.shape[1] for e in start.edges) if start.edges else None
    size = math.prod(start.inputs) if size is None else size
    if seen is None or seen.size != size:
        # One input may be copied into several taps of a patch by padding.
        stages = of.stages[: first + 1]
        copies = [float(e.weight.max()) for s in stages for e in s.edges or ()]
        return total * math.prod(max(c, 1.0) for c in copies), first
    energy = np.asarray(seen, np.float64)
    for stage in of.stages[: first + 1]:
        energy = pushed_through(stage, energy)
    return float(energy.max()), first


def sources(
    of: Chain,
    biased: frozenset[str],
    evidence: Evidence | None,
    input_norm: float,
) -> Sources:
    """Open every layer but the first, whose patches are kept whole.

    Args:
        of: The network.
        biased: Layers with a bias: one more source at each of their positions.
        evidence: The sample, or None.
        input_norm: The norm that inputs are taken to stay below, without data.
    """
    energy, first = _first_energy(of, evidence, input_norm)
    layer = of.stages[first].layer
    energy += float(layer in biased)
    choices = spread = 0.0
    for stage in of.stages[first + 1 :]:
        if stage.layer is None and stage.maximum:
            windows = [float(e.present().into().max()) for e in stage.edges or ()]
            spread += 2 * math.log(math.prod(windows))
        elif stage.layer is not None or stage.edges is None:
            reads = math.log(degree(stage) + float(stage.layer in biased))
            choices += reads
            spread += reads
        if stage.layer in biased:
            energy = max(energy, 1.0)
    return Sources(choices, spread, energy)


def _complexity(
    of: Chain, network: Network, norms: Norms, found: Sources
) -> Complexity:
    weights, biases = norms_in_order(of.layers, norms, network.outputs)
    classes = network.outputs or 1
    choices = len(of.coins) * math.log(2) + found.log_choices
    choices += math.log(classes) if classes > 2 else 0.0
    constant = 1 + math.sqrt(2 * choices)
    spread = math.exp(found.log_spread)
    return Complexity(
        log_product([w * f for w, f in zip(weights, of.factors, strict=True)], biases),
        constant,
        "1 + sqrt(2 (log 2 per activation + log of the degrees))",
        network.outputs,
        found.energy * spread,
        constant**2 * spread,
        len(of.layers),
        factor=1.0 if classes <= 2 else 2 * math.sqrt(classes),
    )


def sparse_cnn_log(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate the log-depth bound with the degree of every layer, the head included.

    Args:
        network: A traced chain; a chain of dense layers needs no trace.
        norms: Filter norms: a convolution counts by its filter tensor.
        evidence: The training sample.
        held_out: Not used.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size, or no architecture to count in.
    """
    del held_out
    found, assumptions = opening(network, norms, evidence)
    of = found or as_dense(network, assumptions)
    opened = sources(of, biased_layers(network), evidence, input_norm)
    detail = f"product of the degrees behind the first layer {math.exp(opened.log_choices):g}"
    counted = Assumption("degrees are counted", holds=True, detail=detail)
    complexity = _complexity(of, network, norms, opened)
    outcome = conclude(
        complexity, (*assumptions, counted), evidence, delta, gamma, input_norm
    )
    terms = dict(outcome.terms) | {"degrees_log10": opened.log_choices / math.log(10)}
    return Outcome(outcome.log10, terms, outcome.assumptions)


def as_dense(network: Network, assumptions: tuple[Assumption, ...]) -> Chain:
    """Return dense layers in stored order as a chain, with a ReLU between them.

    Args:
        network: Without an architecture.
        assumptions: What is known so far, for the error.

    Raises:
        Missing: There are convolutions.
    """
    layers = [x for x in network.layers if x.counted]
    if any(x.kind != "linear" for x in layers):
        raise Missing(
            "the positions that a convolution reads depend on the architecture: give "
            "--model and --data or --input-shape",
            assumptions=assumptions,
        )
    stages = tuple(Stage(x.name, None, ()) for x in layers)
    return Chain(stages, (0.5,) * (len(layers) - 1), (1.0,) * len(layers))


SPARSE_CNN_LOG = Bound(
    id="sparse_cnn_log",
    title="local connectivity with the logarithm of depth",
    statement=(
        "As sparse_cnn, with R = r_j (1 + sqrt(2 (A log 2 + sum_{l>=2} log deg_l))) "
        "sqrt(prod_{l>=2} deg_l max_q sum_i ||x_iq||^2): A is the number of activations, "
        "and of max poolings without one beside them, deg_l the largest number of "
        "positions that one output position of layer l "
        "reads (the head of a flattened map reads them all), plus one for a bias; x_iq "
        "is the patch that the first layer sees at its position q, extended by a 1 where "
        "it has a bias. Average pooling is free; max pooling over m positions multiplies "
        "by m. With C > 2 outputs log C joins the sum under the root, R is multiplied by "
        "2 sqrt(C), and the head's rows are centered."
    ),
    assumptions=(
        "the network is a chain of linear layers (dense, convolution, average pooling)",
        "between layers stand ReLU, LeakyReLU and max pooling, in any order",
        "no normalization layer, attention, recurrence or residual addition",
        "every weight is read, finite and not zero",
        "the margins and norms of the training inputs are known",
    ),
    premises=PREMISES,
    citation=(
        "docs/bounds/sparse_cnn_log.md; after Galanti, Xu, Galanti and Poggio (2023), "
        "Norm-based generalization bounds for sparse neural networks, and "
        "Golowich, Rakhlin and Shamir (2018), Theorem 1"
    ),
    corrections=(
        "The degree of the head enters, without which the bound is false; the patches of "
        "the first layer are kept whole, which removes its degree; scalar nets pay no "
        "log C."
    ),
    rule=sparse_cnn_log,
)
