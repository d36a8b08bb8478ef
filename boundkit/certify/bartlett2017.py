"""The spectrally normalized bound of Bartlett, Foster and Telgarsky (2017)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.certify.bound import Bound, Outcome
from boundkit.certify.energies import energy_per_sample
from boundkit.certify.opening import opening
from boundkit.certify.premises import PREMISES
from boundkit.certify.rademacher import Complexity, conclude
from boundkit.certify.unrolled import log_sums, unroll
from boundkit.types import Assumption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.certify.unrolled import Unrolled
    from boundkit.types import Evidence, Network, Norms

__all__ = ["BARTLETT2017", "bartlett2017", "spectral_complexity"]

#: Ratio of neighboring points of the grid on the ratios of norms.
_ETA = 1.05


def spectral_complexity(spectral: Sequence[float], group: Sequence[float]) -> float:
    """Return ``R_A = prod s_i (sum_i (b_i / s_i)^(2/3))^(3/2)``, (1.2) of the paper.

    Args:
        spectral: (L,) s_i, operator norms times Lipschitz constants.
        group: (L,) b_i, sums of the Euclidean norms of the rows.
    """
    ratios = [b / s for b, s in zip(group, spectral, strict=True)]
    return math.prod(spectral) * _mixed(ratios)


def _mixed(ratios: Sequence[float]) -> float:
    return math.pow(math.fsum(ratio ** (2 / 3) for ratio in ratios), 1.5)


def _ratios(of: Unrolled) -> tuple[list[float], float]:
    """Return ``b_l / s_l`` per layer with its bias, and log of the product of the s_l."""
    weights = [m.sizes.operator * m.before for m in of.matrices]
    logs = log_sums(weights, [m.sizes.bias for m in of.matrices])
    ratios = []
    for m, before, after in zip(of.matrices, logs, logs[1:], strict=False):
        rows = math.log(m.sizes.rows * m.before)
        if m.sizes.bias_rows > 0:
            extra = math.log(m.sizes.bias_rows) - before
            high, low = max(rows, extra), min(rows, extra)
            rows = high + math.log1p(math.exp(low - high))
        ratios.append(math.exp(rows - (after - before)))
    return ratios, logs[-1] + math.log(of.after)


def _on_grid(ratios: Sequence[float]) -> tuple[list[float], float]:
    """Round ratios up to powers of 1.05; also return the share of delta they get."""
    steps = [max(0, math.ceil(math.log(r) / math.log(_ETA) - 1e-9)) for r in ratios]
    share = math.prod(1 / ((k + 1) * (k + 2)) for k in steps)
    return [_ETA**k for k in steps], share


def bartlett2017(
    network: Network,
    norms: Norms,
    evidence: Evidence | None,
    held_out: Evidence | None,
    delta: float,
    gamma: float | None,
    input_norm: float,
) -> Outcome:
    """Evaluate Bartlett, Foster, Telgarsky (2017), Theorem 3.3, uniformly by a grid.

    Args:
        network: A traced chain; a chain of dense layers needs no trace.
        norms: With upper bounds on the operator norms of the unrolled layers.
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
    of = unroll(found, network, norms, assumptions)
    ratios, log_spectral = _ratios(of)
    rounded, share = _on_grid(ratios)
    classes = network.outputs or 1
    width = of.width + int(of.biased)
    lipschitz = 1.0 if classes <= 2 else math.sqrt(2)
    entropy = 2 * math.log(2 * width**2)
    constant = lipschitz * math.sqrt(entropy) * _mixed(rounded)
    energy = energy_per_sample(evidence, input_norm)
    complexity = Complexity(
        log_spectral,
        constant,
        "sqrt(2 log(2 W^2)) times the mixed ratio of norms",
        network.outputs,
        max(energy, 1.0) + 1.0 if of.biased else energy,
        (40 * constant) ** 2,
        len(of.matrices),
        factor=1.0,
        chaining=True,
    )
    detail = "bounded from above: transform on the torus, dense ones exactly"
    above = Assumption(
        "operator norms are not underestimated", holds=True, detail=detail
    )
    outcome = conclude(
        complexity, (*assumptions, above), evidence, delta * share, gamma, input_norm
    )
    terms = dict(outcome.terms) | {
        "spectral_product_log10": log_spectral / math.log(10),
        "mixed_ratio": _mixed(ratios),
        "width": width,
        "grid_share": share,
    }
    return Outcome(outcome.log10, terms, outcome.assumptions)


BARTLETT2017 = Bound(
    id="bartlett2017",
    title="spectrally normalized margin bound",
    statement=(
        "As sparse_cnn, with R = 12 E (1 + max(0, log(n / (3 E)))), E = r_j Lip "
        "sqrt(2 log(2 W^2)) (sum_l t_l^(2/3))^(3/2) sqrt(sum_i ||x_i||^2), rho the product "
        "of the operator norms s_l of the layers on whole maps, and delta_j multiplied by "
        "prod_l 1 / ((k_l + 1)(k_l + 2)). Here t_l = 1.05^(k_l) is the ratio b_l / s_l "
        "rounded up, k_l >= 0, b_l the sum of the Euclidean norms of the rows of layer l "
        "(a convolution's filters once per position), W the size of the largest map, Lip "
        "= 1 for one or two outputs (the difference of the rows is the head), else "
        "sqrt(2). Pooling multiplies s_l by its Lipschitz constant: 1 for max pooling "
        "without overlap. A bias adds ||b_l|| / (product before) to s_l, its l1 norm to "
        "b_l, and constants to the inputs."
    ),
    assumptions=(
        "the network is a chain of linear layers (dense, convolution, pooling)",
        "between layers stand ReLU or LeakyReLU, and max pooling",
        "no normalization layer, attention, recurrence or residual addition",
        "operator norms are bounded from above, never estimated from below",
        "every weight is read, finite and not zero",
        "the margins and norms of the training inputs are known",
    ),
    premises=PREMISES,
    citation=(
        "Bartlett, Foster and Telgarsky (2017), Spectrally-normalized margin bounds for "
        "neural networks, Theorem 3.3 and Lemma A.5; constants as in "
        "docs/bounds/bartlett2017.md"
    ),
    corrections=(
        "Reference matrices are zero. Covers are projected onto a ball, since Maurey's "
        "points need not keep the spectral norm; rounding up their number costs sqrt(2); "
        "the margin is sqrt(2)-Lipschitz where print has 2; Dudley's integral is cut at "
        "its best point instead of 1/n; uniformity over the norms is by the grid, not by "
        "Lemma A.9."
    ),
    rule=bartlett2017,
)
