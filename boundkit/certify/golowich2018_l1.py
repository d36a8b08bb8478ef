"""The bound of Golowich, Rakhlin and Shamir (2018) by l1 norms of rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.certify.bound import Bound, Outcome
from boundkit.certify.opening import opening
from boundkit.certify.premises import PREMISES
from boundkit.certify.rademacher import Complexity, conclude
from boundkit.certify.unrolled import log_sums, unroll
from boundkit.types import Assumption

if TYPE_CHECKING:
    from boundkit.certify.chain import Chain
    from boundkit.certify.unrolled import Unrolled
    from boundkit.types import Evidence, Network, Norms

__all__ = ["GOLOWICH2018_L1", "golowich2018_l1", "printed_complexity"]


def printed_complexity(
    layers: int, inputs: int, psi: float, largest: float, n: int
) -> float:
    """Return the Rademacher complexity as printed in Theorem 2.

    ``(2 / n) psi sqrt(d + 1 + log D) sqrt(max_j sum_i x_ij^2)``.

    Args:
        layers: d.
        inputs: D, the number of input coordinates.
        psi: Product of the largest l1 norms of a row.
        largest: Largest sum over the sample of the squares of one coordinate.
        n: Sample size.
    """
    return 2 / n * psi * math.sqrt((layers + 1 + math.log(inputs)) * largest)


def _energy(evidence: Evidence | None, input_norm: float) -> float:
    """Return the largest mean square of one input coordinate, or a bound on it."""
    if evidence is None:
        return input_norm**2
    if evidence.coordinate_energy is not None:
        return evidence.coordinate_energy
    if evidence.position_energy is not None:
        return float(evidence.position_energy.max())
    return evidence.mean_square_norm


def _slopes(of: Chain | None, count: int) -> list[float]:
    return [1.0] * count if of is None else list(of.factors)


def _complexity(
    of: Chain | None, unrolled: Unrolled, classes: int | None, energy: float
) -> Complexity:
    weights = [m.sizes.largest_row for m in unrolled.matrices]
    biases = [m.sizes.largest_bias for m in unrolled.matrices]
    several = (classes or 1) > 2
    if several:
        weights[-1] = unrolled.matrices[-1].sizes.all_rows
        biases[-1] = unrolled.matrices[-1].sizes.bias_rows
    slopes = _slopes(of, len(weights))
    inputs = unrolled.inputs + int(unrolled.biased)
    doublings = (unrolled.nonlinear + 1) * math.log(2)
    choices = doublings + math.log(inputs) + math.log(classes or 1) * several
    constant = math.sqrt(2 * choices) * unrolled.windows
    return Complexity(
        log_sums([w * s for w, s in zip(weights, slopes, strict=True)], biases)[-1],
        constant,
        "sqrt(2 log(2^(activations + 1) D))",
        classes,
        max(energy, 1.0) if unrolled.biased else energy,
        constant**2 / inputs,
        len(weights),
        factor=2.0 if several else 1.0,
    )


def golowich2018_l1(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate Golowich, Rakhlin and Shamir (2018), Theorem 2, with a smaller constant.

    Args:
        network: A traced chain; a chain of dense layers needs no trace.
        norms: With the row sums of the unrolled layers.
        evidence: The training sample.
        held_out: Not used.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        Missing: There is no sample size, or no architecture to unroll.
    """
    del held_out
    found, assumptions = opening(network, norms, evidence)
    unrolled = unroll(found, network, norms, assumptions)
    energy = _energy(evidence, input_norm)
    complexity = _complexity(found, unrolled, network.outputs, energy)
    detail = f"{unrolled.inputs} coordinates"
    counted = Assumption("input coordinates are counted", holds=True, detail=detail)
    return conclude(
        complexity, (*assumptions, counted), evidence, delta, gamma, input_norm
    )


GOLOWICH2018_L1 = Bound(
    id="golowich2018_l1",
    title="bound by the l1 norms of rows",
    statement=(
        "As sparse_cnn, with R = r_j sqrt(2 log(2^(A+1) D)) sqrt(max_k sum_i x_ik^2): rho "
        "is the product over the layers of the largest l1 norm of a row, which for a "
        "convolution is that of a filter; A is the number of activations and D of input "
        "coordinates. Average pooling is free; max pooling over m positions multiplies by "
        "m. Two outputs count by the difference of their rows; with C > 2 the head counts "
        "by the sum of the l1 norms of its rows minus their median, D becomes C D, and R "
        "is doubled. A bias adds its largest absolute value, relative to the layers "
        "before, to the norm of its layer, and a constant 1 to the inputs."
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
        "Golowich, Rakhlin and Shamir (2018), Size-independent sample complexity of "
        "neural networks, Theorem 2"
    ),
    corrections=(
        "Printed is 2 sqrt(d + 1 + log D); the proof gives sqrt(2 (d log 2 + log D)), "
        "at most 0.71 of it."
    ),
    rule=golowich2018_l1,
)
