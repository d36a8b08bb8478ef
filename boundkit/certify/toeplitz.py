"""The dense bound on a convolutional network's unrolled matrices: the naive reading."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.certify.bias_scales import with_biases
from boundkit.certify.bound import Bound, Missing
from boundkit.certify.energies import energy_per_sample
from boundkit.certify.opening import opening, without_max_pooling
from boundkit.certify.premises import PREMISES
from boundkit.certify.rademacher import Complexity, conclude
from boundkit.certify.unrolled import biased_layers
from boundkit.numerics.coins import chain_constant, dense_constant

if TYPE_CHECKING:
    from boundkit.certify.bound import Outcome
    from boundkit.certify.chain import Chain
    from boundkit.types import Evidence, Network, Norms

__all__ = ["TOEPLITZ", "toeplitz", "unrolled_norms"]


def unrolled_norms(
    of: Chain, norms: Norms, classes: int
) -> tuple[list[float], list[float]]:
    """Return Frobenius norms of the unrolled layers and of their biases, in order.

    Args:
        of: The network; average pooling and slopes are in the norm of the next layer.
        norms: With the Toeplitz norms of the convolutions.
        classes: Number of outputs.
    """
    weights: list[float] = []
    biases: list[float] = []
    factors = iter(of.factors)
    pooling = 1.0
    for stage in of.stages:
        if stage.layer is None:
            pooling *= stage.factor
            continue
        name = stage.layer
        positions = math.prod(e.shape[0] for e in stage.edges) if stage.edges else 1
        weight = norms.toeplitz[name] if stage.edges else norms.weight[name]
        weights.append(weight * pooling * next(factors))
        biases.append(norms.bias.get(name, 0.0) * math.sqrt(positions))
        pooling = 1.0
    last = next(s for s in reversed(of.stages) if s.layer is not None)
    if norms.head is not None and last.edges is None:
        weights[-1] *= norms.head / norms.weight[last.layer or ""]
        biases[-1] = norms.head_bias
    elif classes == 2:
        # The difference of two rows is at most sqrt(2) times the norm of both.
        weights[-1] *= math.sqrt(2)
        biases[-1] *= math.sqrt(2)
    weights[-1] *= pooling
    return weights, biases


def toeplitz(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate the dense theorem with Toeplitz norms; Xu et al. (2023), (25), corrected.

    Args:
        network: A traced chain; a chain of dense layers needs no trace.
        norms: With the Toeplitz norms of the convolutions.
        evidence: The training sample.
        held_out: Not used.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size, or no architecture to unroll.
    """
    del held_out
    found, assumptions = opening(network, norms, evidence, without_max_pooling)
    if found is None:
        raise Missing(
            "unrolling needs the size of every map: give --model and --data or "
            "--input-shape",
            assumptions=assumptions,
        )
    classes = network.outputs or 1
    weights, biases = unrolled_norms(found, norms, classes)
    having = biased_layers(network)
    paths = [float(name in having) for name in found.layers]
    one_source = classes <= 2 and not any(paths)
    pieces = Complexity(
        0.0,
        (dense_constant if one_source else chain_constant)(found.coins),
        "free of data",
        network.outputs,
        energy_per_sample(evidence, input_norm),
        1.0,
        len(weights),
    )
    forms = with_biases(pieces, weights, biases, paths, 1.0)
    return conclude(forms, assumptions, evidence, delta, gamma, input_norm)


TOEPLITZ = Bound(
    id="toeplitz",
    title="dense bound on the unrolled matrices of a convolutional network",
    statement=(
        "As dense, with every convolution replaced by the matrix that it is on whole "
        "maps: ||T||_F^2 = sum over taps of ||w_tap||^2 times the number of positions at "
        "which the tap meets the input; average pooling counts by its operator norm."
    ),
    assumptions=(
        "the network is a chain of linear layers (dense, convolution, average pooling)",
        "between layers stand ReLU or LeakyReLU",
        "no normalization layer, attention, recurrence or residual addition",
        "every weight is read, finite and not zero",
        "the margins and norms of the training inputs are known",
    ),
    premises=PREMISES,
    citation="docs/theory.md, Theorem B; Xu et al. (2023), (25)",
    corrections=(
        "(25) of Xu et al. gives every layer 2^l patches counted from the wrong end and "
        "multiplies by 2^L; exact Toeplitz norms and the smaller constant are used here."
    ),
    rule=toeplitz,
)
