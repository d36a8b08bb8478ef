"""The sparse-network bound of Galanti et al. (2023), with the degree of the head."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.bound import Bound, Outcome
from boundkit.certify.opening import opening
from boundkit.certify.premises import PREMISES
from boundkit.certify.rademacher import (
    Complexity,
    conclude,
    log_product,
    norms_in_order,
)
from boundkit.certify.sparse_cnn_log import as_dense, degree
from boundkit.certify.unrolled import biased_layers
from boundkit.types import Assumption

if TYPE_CHECKING:
    from boundkit.certify.chain import Chain
    from boundkit.types import Evidence, Network, Norms

__all__ = ["GALANTI2023", "galanti2023"]


def _within_theorem(of: Chain | None, network: Network) -> Assumption:
    name = "no biases and no pooling"
    biased = sorted(biased_layers(network))
    if biased:
        why = f"{biased[0]} has a bias; sparse_cnn_log covers biases"
        return Assumption(name, holds=False, detail=why)
    if of is not None and any(s.layer is None and s.edges for s in of.stages):
        why = "the network pools; sparse_cnn_log covers pooling"
        return Assumption(name, holds=False, detail=why)
    return Assumption(name, holds=True, detail="none")


def _pixel_energy(evidence: Evidence | None, input_norm: float) -> float:
    if evidence is None:
        return input_norm**2
    if evidence.position_energy is None:
        return evidence.mean_square_norm
    return float(np.max(evidence.position_energy))


def _complexity(
    of: Chain, network: Network, norms: Norms, pixel: float
) -> tuple[Complexity, float]:
    log_degrees = math.fsum(math.log(degree(s)) for s in of.stages)
    classes = network.outputs or 1
    depth = len(of.layers)
    inner = depth * math.log(2) + log_degrees + math.log(max(classes, 2))
    constant = 1 + math.sqrt(2 * inner)
    weights, _ = norms_in_order(of.layers, norms, network.outputs)
    spread = math.exp(log_degrees)
    return Complexity(
        log_product(
            [w * f for w, f in zip(weights, of.factors, strict=True)],
            [0.0] * len(weights),
        ),
        constant,
        "1 + sqrt(2 (L log 2 + log of all degrees + log C))",
        network.outputs,
        pixel * spread,
        constant**2 * spread,
        depth,
        factor=1.0 if classes <= 2 else 2 * math.sqrt(classes),
    ), log_degrees


def galanti2023(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate the strict reading of Galanti et al. (2023).

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
    found, assumptions = opening(network, norms, evidence, _within_theorem, mend=_mend)
    of = found or as_dense(network, assumptions)
    pixel = _pixel_energy(evidence, input_norm)
    complexity, log_degrees = _complexity(of, network, norms, pixel)
    outcome = conclude(complexity, assumptions, evidence, delta, gamma, input_norm)
    terms = dict(outcome.terms) | {"degrees_log10": log_degrees / math.log(10)}
    return Outcome(outcome.log10, terms, outcome.assumptions)


def _mend(broken: Assumption) -> str:
    return broken.detail if "sparse_cnn_log" in broken.detail else ""


GALANTI2023 = Bound(
    id="galanti2023",
    title="sparse-network bound of Galanti et al., strict reading",
    statement=(
        "As sparse_cnn, with R = r_j A (1 + sqrt(2 (L log 2 + sum_{l=1..L} log deg_l + "
        "log C))) sqrt(prod_{l=1..L} deg_l max_p sum_i ||x_ip||^2): deg_l is the largest "
        "number of positions that one output position of layer l reads, the head of a "
        "flattened map included; x_ip is input position p, channels together; C is the "
        "number of outputs, at least 2. A = 1 for one or two outputs with the head "
        "counted by the difference of its rows, else 2 sqrt(C), its rows centered."
    ),
    assumptions=(
        "the network is a chain of dense layers and convolutions without biases",
        "between layers stand ReLU or LeakyReLU, nothing pools",
        "no normalization layer, attention, recurrence or residual addition",
        "every weight is read, finite and not zero",
        "the margins and norms of the training inputs are known",
    ),
    premises=PREMISES,
    citation=(
        "Galanti, Xu, Galanti and Poggio (2023), Norm-based generalization bounds for "
        "sparse neural networks, margin bound; constants as in docs/bounds/galanti2023.md"
    ),
    corrections=(
        "As published in code, the product and the sum stop at layer L-1, and the head "
        "of a flattened map reads many positions for free: a linear classifier with "
        "random labels then gets 0.205 at test error 0.4955. Here the head counts. "
        "2 sqrt(2) is right for two outputs only: the contraction for C outputs costs "
        "2 sqrt(C). Margins and norms run over our grid, not over (rho + 1)."
    ),
    rule=galanti2023,
)
