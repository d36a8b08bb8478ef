"""Confidence form (c'): for data whose normalization is fixed in advance and declared.

The mean energy of inputs of bounded energy is known from the sample up to a small term,
so the complexity is bounded in the mean over samples and need not be estimated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.bound import Outcome, Violated
from boundkit.certify.margin import MarginBound, margin_bound, ramp_loss, smallest
from boundkit.certify.premises import about_evidence
from boundkit.certify.rademacher import at_size, needed
from boundkit.errors import NotApplicable
from boundkit.types import Assumption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.certify.margin import RampLoss
    from boundkit.certify.rademacher import Complexity
    from boundkit.types import Declared, Evidence

__all__ = ["FORM", "Energy", "RouteSum", "conclude_normalized", "energy_of"]

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
    """

    mean: float
    variance: float
    largest: float

    def upper(self, log_n: float, risk: float) -> float:
        """Return what its mean over all inputs stays below, but for a chance of ``risk``.

        Maurer and Pontil (2009), Theorem 4.

        Args:
            log_n: Of the sample size.
            risk: The probability that it does not.
        """
        level = math.log(2 / risk)
        n_inverse = math.exp(-log_n)
        spread = math.sqrt(2 * self.variance * level * n_inverse)
        # 1 / (n - 1), for n that may be too large for a float.
        rest = 7 * self.largest * level * n_inverse / (3 * max(1 - n_inverse, 1e-300))
        return min(self.mean + spread + rest, self.largest)


@dataclass(frozen=True, slots=True, eq=False)
class RouteSum:
    """One form of a bound: a sum over the routes through a network, a chain having one.

    Attributes:
        complexity: Its norm, classes and grid; energy and K stand below, route by route.
        weights: (routes,) K free of data, times the ratios of the branches taken.
        fixed: (routes,) energy of constants, the same for every input.
    """

    complexity: Complexity
    weights: NDArray[np.float64]
    fixed: NDArray[np.float64]


def energy_of(evidence: Evidence, counts: NDArray[np.float64]) -> Energy:
    """Return the law of the energy that reaches the output.

    Args:
        evidence: The training sample, with declared preprocessing.
        counts: (positions...) paths from each input position to the output.

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
    return Energy(mean, max(square - mean**2, 0.0) * unbiased, largest)


def _as_declared(declared: Declared | None) -> Assumption:
    name = "inputs are as declared: nonnegative, of norm at most 1, less a center >= 0"
    if declared is None:
        return Assumption(name, holds=False, detail="the data declare nothing")
    lowest, largest = declared.lowest, declared.largest
    holds = lowest >= -_ROUNDING and largest <= 1 + _ROUNDING
    detail = f"seen: no value below {lowest:.2g}, no norm above {largest:.6g}"
    return Assumption(name, holds=holds, detail=detail)


def _log_unit(
    of: RouteSum, energies: Sequence[Energy], log_n: float, delta: float
) -> float:
    """Return log of ``A_C sum_A w_A sqrt(n E_A)``; delta / 2 is shared by the routes."""
    risk = delta / 2 / len(energies)
    upper = np.array([energy.upper(log_n, risk) for energy in energies]) + of.fixed
    total = float(of.weights @ np.sqrt(upper)) * of.complexity.outputs_factor
    return math.log(total) + log_n / 2


def _terms(
    of: RouteSum, energies: Sequence[Energy], evidence: Evidence, delta: float
) -> dict[str, float | str | None]:
    pieces, first = of.complexity, energies[0]
    log_n = math.log(evidence.n)
    fixed = float(of.fixed[0])
    bound = first.upper(log_n, delta / 2 / len(energies)) + fixed
    scale = math.sqrt(evidence.n * bound)
    unit = math.exp(_log_unit(of, energies, log_n, delta))
    terms: dict[str, float | str | None] = {
        "layers": pieces.layers,
        "rho_log10": pieces.log_rho / math.log(10),
        "K_L": unit / (scale * pieces.outputs_factor),
        "K_L_kind": pieces.constant_kind,
        "outputs": pieces.classes,
        "A_C": pieces.outputs_factor,
        "energy_per_sample": first.mean + fixed,
        "energy_bound": bound,
        "largest_energy": first.largest + fixed,
        "mean_paths": pieces.mean_paths,
        "form": FORM,
        "S_N": scale,
    }
    return terms | dict(pieces.extra)


def conclude_normalized(
    forms: Sequence[RouteSum],
    energies: Sequence[Energy],
    assumptions: tuple[Assumption, ...],
    evidence: Evidence,
    delta: float,
    gamma: float | None,
) -> Outcome:
    """Turn a complexity that is free of data into a bound on the error probability.

    With probability at least 1 - delta, for all networks at once and every j: err <= mean
    ramp loss + 2 r_j A_C sum_A w_A sqrt(n E_A) / n + sqrt(log(1 / delta_j) / (2 n)), where
    E_A bounds the mean energy of route A (Maurer and Pontil (2009), delta / 2 in equal
    shares) and delta_j sums to delta / 2 (docs/theory_residual.md, form (c')).

    Args:
        forms: The pieces, whose shares of delta sum to at most 1; the best is taken.
        energies: What is known of the energy of each route, the main one first.
        assumptions: About the network; those about the sample are added here.
        evidence: The training sample.
        delta: Probability that the statement fails.
        gamma: A margin fixed in advance, or None for the best.

    Raises:
        Violated: The sample is not as declared.
    """
    assumptions += (*about_evidence(evidence, 1.0), _as_declared(evidence.declared))
    if any(a.holds is False for a in assumptions):
        raise Violated(assumptions)
    loss = None if evidence.margins is None else ramp_loss(evidence.margins)

    def best(log_n: float) -> tuple[MarginBound, RouteSum]:
        found = [
            (_at(form, energies, loss, log_n, delta, gamma), form) for form in forms
        ]
        return min(found, key=lambda each: each[0].log10)

    found, form = best(math.log(evidence.n))
    least = needed(smallest(lambda log_n: best(log_n)[0].log10 < 0))
    terms = _terms(form, energies, evidence, delta) | at_size(found, evidence.n)
    return Outcome(found.log10, terms | least, assumptions)


def _at(
    of: RouteSum,
    energies: Sequence[Energy],
    loss: RampLoss | None,
    log_n: float,
    delta: float,
    gamma: float | None,
) -> MarginBound:
    pieces = of.complexity
    return margin_bound(
        pieces.log_rho,
        _log_unit(of, energies, log_n, delta),
        loss,
        log_n=log_n,
        log_anchor=0.5 * (log_n - math.log(pieces.mean_paths)) - math.log(16),
        delta=delta / 2,
        gamma=gamma,
        log_cost=pieces.log_cost,
        expected=True,
    )
