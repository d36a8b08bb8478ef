r"""From the complexity of a class to a bound on the error of one network.

For every norm ``r_j`` of a grid that is anchored in the architecture and the sample size,
with ``delta_j`` summing to delta, and with ``R = r_j u`` an upper bound on n times the
empirical Rademacher complexity of the networks of norm at most ``r_j``:

    err <= mean ramp_{rho / r_j} + 2 R / n
           + (2 / n) (l / 2 + sqrt(l^2 / 4 + l R)) + sqrt(l / (2 n)),  l = log(2 / delta_j)

for all networks at once and every j (docs/theory.md, confidence form (d)). The best j may
be chosen after the fact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "MarginBound",
    "RampLoss",
    "deviation",
    "dudley",
    "grid_delta",
    "margin_bound",
    "ramp_loss",
    "smallest",
]

#: Ratio of neighboring norms of the grid; finer costs more in delta_j than it gains.
_ETA = 1.05
_LOG_ETA = math.log(_ETA)


@dataclass(frozen=True, slots=True)
class MarginBound:
    """The bound at its best margin.

    Attributes:
        log10: Of the sum.
        margin: The margin gamma = rho / r_j.
        margin_loss: Mean ramp loss at that margin.
        complexity: ``2 R / n``; infinite where it overflows.
        confidence: The two terms in l.
        delta_j: The share of delta that this norm gets.
    """

    log10: float
    margin: float
    margin_loss: float
    complexity: float
    confidence: float
    delta_j: float


@dataclass(frozen=True, slots=True, eq=False)
class RampLoss:
    """The margins of a sample, sorted once for every use.

    Attributes:
        positive: (k,) the positive margins, ascending.
        sums: (k + 1,) sums of the smallest of them.
        wrong: How many are not positive.
        size: How many there are.
    """

    positive: NDArray[np.float64]
    sums: NDArray[np.float64]
    wrong: int
    size: int

    def mean(self, gammas: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of ``clip(1 - m / gamma, 0, 1)``, per gamma."""
        below = np.searchsorted(self.positive, gammas, side="left")
        loss = self.wrong + below - self.sums[below] / gammas
        return np.asarray(loss / self.size)


def ramp_loss(margins: NDArray[np.float64]) -> RampLoss:
    """Return margins ready for use.

    Args:
        margins: (n,) raw training margins.
    """
    ordered = np.sort(margins)
    wrong = int(np.searchsorted(ordered, 0.0, side="right"))
    positive = ordered[wrong:]
    sums = np.concatenate([[0.0], np.cumsum(positive)])
    return RampLoss(positive, sums, wrong, margins.size)


def grid_delta(j: int | NDArray[np.int64], delta: float) -> NDArray[np.float64]:
    """Return ``(2/3) delta / ((|j| + 1)(|j| + 2))``, which sums to delta over all j."""
    distance = np.abs(np.asarray(j, dtype=np.float64))
    return np.asarray(2 / 3 * delta / ((distance + 1) * (distance + 2)))


def deviation(complexity: float, log_inverse: float) -> float:
    """Return ``l/2 + sqrt(l^2/4 + l R)``: how far n Rh may exceed its empirical value R.

    Boucheron, Lugosi and Massart (2000): twice the conditional Rademacher average of a
    class of [0, 1] losses is self-bounding.

    Args:
        complexity: R, an upper bound on n times the empirical complexity.
        log_inverse: l, the logarithm of one over the probability of failure.
    """
    half = log_inverse / 2
    return half + math.sqrt(half * half + log_inverse * complexity)


def dudley(log_scale: NDArray[np.float64], log_n: float) -> NDArray[np.float64]:
    """Return log of n Rh for a class of [0, 1] losses with log N(eps) <= (E / eps)^2.

    Dudley's integral ``4 a sqrt(n) + 12 E log(sqrt(n) / a)`` (Bartlett, Foster, Telgarsky
    (2017), Lemma A.5) at its best ``a = 3 E / sqrt(n)`` is ``12 E (1 + log(n / (3 E)))``;
    beyond E = n / 3 the bound n is trivial and 12 E exceeds it.

    Args:
        log_scale: Natural logarithm of E.
        log_n: Of the sample size.
    """
    factor = 12 * (1 + np.maximum(0.0, log_n - math.log(3) - log_scale))
    return np.asarray(log_scale + np.log(factor), np.float64)


def _safe_exp(log: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.exp(log)


def _candidates(
    log_rho: float,
    log_anchor: float,
    loss: RampLoss | None,
    gamma: float | None,
) -> NDArray[np.int64]:
    """Return the grid indices j worth looking at; r_j = anchor eta^j, gamma = rho / r_j."""

    def at_least(log_norm: float) -> int:
        return math.ceil((log_norm - log_anchor) / _LOG_ETA - 1e-9)

    if gamma is not None:
        return np.array([at_least(log_rho - math.log(gamma))])
    if loss is None or loss.positive.size == 0:
        return np.array([at_least(log_rho)])
    top = float(loss.positive[-1])
    bottom = max(float(loss.positive[0]) / 2, top * 1e-9)
    first = at_least(log_rho - math.log(2 * top))
    last = at_least(log_rho - math.log(bottom))
    return np.arange(first, last + 1)


def margin_bound(
    log_rho: float,
    log_unit: float,
    margins: NDArray[np.float64] | RampLoss | None,
    *,
    log_n: float,
    log_anchor: float,
    delta: float,
    gamma: float | None,
    log_cost: float = 0.0,
    chaining: bool = False,
    expected: bool = False,
) -> MarginBound:
    """Return the bound at the best norm of the grid.

    Args:
        log_rho: Natural logarithm of the network's norm.
        log_unit: Of ``u = n Rh / r``: the complexity of the networks of norm 1.
        margins: (n,) raw training margins, or what ``ramp_loss`` makes of them; None if
            all are taken to be 1.
        log_n: Of the sample size, which may be too large for a float.
        log_anchor: Of ``r_0``; a function of the architecture and n only.
        delta: Probability of failure.
        gamma: A margin fixed in advance, or None for the best.
        log_cost: Logarithm, negated, of the share of delta that may be used.
        chaining: Whether ``u`` scales an entropy integral, see ``dudley``.
        expected: Whether ``u`` bounds the complexity in the mean over samples, as form
            (c') has it; then only ``sqrt(log(1 / delta_j) / (2 n))`` is added.
    """
    known = ramp_loss(margins) if isinstance(margins, np.ndarray) else margins
    j = _candidates(log_rho, log_anchor, known, gamma)
    log_norm = np.asarray(log_anchor + j * _LOG_ETA, np.float64)
    log_margin = np.asarray(log_rho - log_norm, np.float64)
    margin = _safe_exp(log_margin)
    if known is None:
        loss = np.clip(1 - _safe_exp(-log_margin), 0, 1)
    else:
        loss = known.mean(margin)
    share = grid_delta(j, delta)
    level = np.log(2 / share) + log_cost
    log_complexity = log_norm + log_unit
    if chaining:
        log_complexity = dudley(log_complexity, log_n)
    # Everything over n is formed in logarithms, so that nothing overflows before it.
    complexity = np.asarray(math.log(2) + log_complexity - log_n, np.float64)
    n_inverse = math.exp(-log_n)
    product = level * _safe_exp(log_complexity - 2 * log_n)
    root = np.sqrt((level * n_inverse / 2) ** 2 + product)
    confidence = 2 * (level * n_inverse / 2 + root) + np.sqrt(level * n_inverse / 2)
    if expected:
        confidence = np.sqrt((np.log(1 / share) + log_cost) * n_inverse / 2)
    with np.errstate(divide="ignore"):
        rest = np.log(loss + confidence)
    total = np.logaddexp(complexity, np.where(np.isfinite(rest), rest, complexity))
    best = int(np.argmin(total))
    return MarginBound(
        float(total[best]) / math.log(10),
        float(margin[best]),
        float(loss[best]),
        float(_safe_exp(complexity[best : best + 1])[0]),
        float(confidence[best]),
        float(share[best]) * math.exp(-log_cost),
    )


def smallest(informative: Callable[[float], bool]) -> float | None:
    """Return log10 of the smallest n from which on a bound is informative, or None.

    Args:
        informative: Tells it for a natural logarithm of n, and never changes back.
    """
    low, high = 0.0, 1.0
    while not informative(high):
        low, high = high, high * 2
        if high > 1e5:
            return None
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if informative(middle) else (middle, high)
    return high / math.log(10)
