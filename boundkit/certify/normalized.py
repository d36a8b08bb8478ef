"""Confidence form (c'): for data whose normalization is fixed in advance and declared.

The mean energy of inputs of bounded energy is known from the sample up to a small term,
so the complexity is bounded in the mean over samples and need not be estimated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.bound import Outcome
from boundkit.certify.margin import MarginBound, margin_bound, smallest
from boundkit.certify.premises import about_evidence
from boundkit.certify.rademacher import needed
from boundkit.errors import NotApplicable
from boundkit.types import Assumption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.certify.rademacher import Complexity
    from boundkit.types import Declared, Evidence

__all__ = ["FORM", "Energy", "conclude_normalized", "energy_of"]

#: What reports call this form.
FORM = "c': expected complexity, normalized inputs"
#: Rounding that float32 inputs leave.
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Energy:
    """The law of ``e = sum_p N_p ||x_p||^2`` as far as it is known.

    Attributes:
        mean: Over the sample.
        variance: Over the sample, unbiased.
        largest: That no input exceeds.
        fixed: Of constants, the same for every input.
    """

    mean: float
    variance: float
    largest: float
    fixed: float

    def upper(self, log_n: float, delta: float) -> float:
        """Return what its mean over all inputs stays below, with probability 1 - delta/2.

        Maurer and Pontil (2009), Theorem 4.

        Args:
            log_n: Of the sample size.
            delta: Of which half is used up.
        """
        level = math.log(4 / delta)
        n_inverse = math.exp(-log_n)
        spread = math.sqrt(2 * self.variance * level * n_inverse)
        # 1 / (n - 1), for n that may be too large for a float.
        rest = 7 * self.largest * level * n_inverse / (3 * max(1 - n_inverse, 1e-300))
        return min(self.mean + spread + rest, self.largest) + self.fixed


def energy_of(evidence: Evidence, counts: NDArray[np.float64], fixed: float) -> Energy:
    """Return the law of the energy that reaches the output.

    Args:
        evidence: The training sample, with declared preprocessing.
        counts: (positions...) paths from each input position to the output.
        fixed: Energy of constants.

    Raises:
        NotApplicable: The data declare nothing.
    """
    declared = evidence.declared
    if declared is None or evidence.position_energy is None:
        raise NotApplicable("the data declare no normalization")
    paths = np.asarray(counts, np.float64).ravel()
    center = declared.center.ravel()
    if paths.size != center.size:
        paths = np.full(center.size, float(paths.max()))
    mean = float(paths @ evidence.position_energy.ravel())
    square = float(paths @ declared.products @ paths)
    unbiased = evidence.n / max(evidence.n - 1, 1)
    # Inputs and center are nonnegative: ||x_p - c_p||^2 <= ||x_p||^2 + ||c_p||^2.
    largest = (float(paths.max()) + float(paths @ center)) * (1 + _ROUNDING)
    return Energy(mean, max(square - mean**2, 0.0) * unbiased, largest, fixed)


def _as_declared(declared: Declared | None) -> Assumption:
    name = "inputs are as declared: nonnegative, of norm at most 1, less a center >= 0"
    if declared is None:
        return Assumption(name, holds=False, detail="the data declare nothing")
    lowest, largest = declared.lowest, declared.largest
    holds = lowest >= -_ROUNDING and largest <= 1 + _ROUNDING
    detail = f"seen: no value below {lowest:.2g}, no norm above {largest:.6g}"
    return Assumption(name, holds=holds, detail=detail)


def conclude_normalized(
    of: Complexity,
    energy: Energy,
    assumptions: tuple[Assumption, ...],
    evidence: Evidence,
    delta: float,
    gamma: float | None,
) -> Outcome:
    """Turn a complexity that is free of data into a bound on the error probability.

    With probability at least 1 - delta, for all networks at once and every j: err <= mean
    ramp loss + 2 r_j A_C K sqrt(n E) / n + sqrt(log(1 / delta_j) / (2 n)), where E bounds
    the mean energy (Maurer and Pontil (2009), delta / 2) and delta_j sums to delta / 2
    (docs/theory_residual.md, form (c')).

    Args:
        of: The pieces; its energy is not used.
        energy: What is known of the energy.
        assumptions: About the network; those about the sample are added here.
        evidence: The training sample.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.
    """
    assumptions += (*about_evidence(evidence, 1.0), _as_declared(evidence.declared))
    if any(a.holds is False for a in assumptions):
        return Outcome(None, {}, assumptions)
    log_k = math.log(of.constant * of.outputs_factor)

    def at(log_n: float) -> MarginBound:
        return margin_bound(
            of.log_rho,
            log_k + 0.5 * (math.log(energy.upper(log_n, delta)) + log_n),
            evidence.margins,
            log_n=log_n,
            log_anchor=0.5 * (log_n - math.log(of.mean_paths)) - math.log(16),
            delta=delta / 2,
            gamma=gamma,
            expected=True,
        )

    log_n = math.log(evidence.n)
    found = at(log_n)
    terms: dict[str, float | str | None] = {
        "layers": of.layers,
        "rho_log10": of.log_rho / math.log(10),
        "K_L": of.constant,
        "K_L_kind": of.constant_kind,
        "outputs": of.classes,
        "A_C": of.outputs_factor,
        "energy_per_sample": energy.mean + energy.fixed,
        "energy_bound": energy.upper(log_n, delta),
        "largest_energy": energy.largest + energy.fixed,
        "mean_paths": of.mean_paths,
        "form": FORM,
        "n": evidence.n,
        "S_N": math.sqrt(evidence.n * energy.upper(log_n, delta)),
        "gamma": found.margin,
        "margin_loss": found.margin_loss,
        "complexity": found.complexity if math.isfinite(found.complexity) else None,
        "confidence": found.confidence if math.isfinite(found.confidence) else None,
        "delta_j": found.delta_j,
    }
    least = needed(smallest(lambda log_size: at(log_size).log10 < 0))
    return Outcome(found.log10, terms | least, assumptions)
