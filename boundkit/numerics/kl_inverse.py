"""The relative entropy of two coins, inverted upwards, and what its moments cost."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["bernoulli_kl", "kl_inverse", "kl_moment", "log_kl_moment"]

_STEPS = 200
#: Added to what is returned: far above the rounding of the sums that lead to it.
_SLACK = 1e-9
#: Beyond this many samples ``xi`` is replaced by the bound ``2 sqrt(n)``.
_SUMMED = 2_000_000


def bernoulli_kl(q: float, p: float) -> float:
    """Return ``kl(q || p) = q ln(q/p) + (1-q) ln((1-q)/(1-p))`` in nats.

    ``0 ln 0 = 0``; infinite where p excludes what q allows.

    Args:
        q: Probability of the first coin, in [0, 1].
        p: Probability of the second coin, in [0, 1].
    """
    first = 0.0 if q <= 0 else (math.inf if p <= 0 else q * math.log(q / p))
    if q >= 1:
        return first
    if p >= 1:
        return math.inf
    # Rounding may leave a trace below zero where p = q.
    return max(0.0, first + (1 - q) * math.log((1 - q) / (1 - p)))


def kl_inverse(q: float, cost: float) -> float:
    """Return ``max {p : kl(q || p) <= cost}``, rounded up.

    Bisection; the upper end is returned, and 1e-9 above it.

    Args:
        q: Observed error rate, in [0, 1].
        cost: Nats, at least 0.

    Returns:
        A probability, never below the true maximum; 1 where the cost is not finite.
    """
    if not cost < math.inf:
        return 1.0
    low, high = min(max(q, 0.0), 1.0), 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if bernoulli_kl(q, middle) > cost else (middle, high)
    return min(1.0, high + _SLACK)


def kl_moment(n: int) -> float:
    """Return ``xi(n) = sum_k C(n, k) (k/n)^k (1 - k/n)^(n-k)``, rounded up.

    The largest expectation of ``exp(n kl(k/n || p))`` over binomial k; at most
    ``2 sqrt(n)`` from n = 8 on (Maurer, 2004, "A note on the PAC Bayesian theorem").

    Args:
        n: Sample size, at least 1.
    """
    return math.exp(log_kl_moment(n))


def log_kl_moment(n: int) -> float:
    """Return ``ln xi(n)``, rounded up; ``ln(2 sqrt(n))`` beyond two million samples.

    Args:
        n: Sample size, at least 1.
    """
    if n > _SUMMED:
        return math.log(2) + math.log(n) / 2
    from scipy.special import gammaln, xlogy

    k = np.arange(n + 1, dtype=np.float64)
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    logs = choose + xlogy(k, k / n) + xlogy(n - k, 1 - k / n)
    return math.log(math.fsum(np.exp(logs).tolist())) + _SLACK
