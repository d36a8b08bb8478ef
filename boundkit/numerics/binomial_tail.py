"""The lower tail of a binomial, summed in logs.

``scipy.stats.binom.logcdf`` is the logarithm of a number that underflows: below 1e-308 it
is minus infinity, and an inversion built on it returns bounds that are too small.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["binomial_upper", "log_binomial_tail"]

_STEPS = 200
#: Added to what is returned: far above the rounding of the sums that lead to it.
_SLACK = 1e-9
#: Terms this far below the largest, in nats, add less than a rounding error.
_NEGLIGIBLE = 60.0
#: Terms that are summed at a time.
_BLOCK = 4096


def log_binomial_tail(errors: int, n: int, p: float) -> float:
    """Return ``ln Pr(Bin(n, p) <= errors)``, finite wherever the tail is positive.

    Terms are added from ``errors`` downwards until the rest cannot matter.

    Args:
        errors: 0 to n.
        n: Trials.
        p: Success probability, in [0, 1].
    """
    if errors >= n or p <= 0:
        return 0.0
    if p >= 1:
        return -math.inf
    from scipy.special import gammaln

    total, top = -math.inf, errors
    # The terms rise up to the mode and fall beyond it.
    mode = min(errors, math.floor((n + 1) * p))
    while top >= 0:
        k = np.arange(max(0, top - _BLOCK + 1), top + 1, dtype=np.float64)
        logs = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        logs += k * math.log(p) + (n - k) * math.log1p(-p)
        total = float(np.logaddexp(total, np.logaddexp.reduce(logs)))
        top = int(k[0]) - 1
        if top < mode and logs[0] < total - _NEGLIGIBLE:
            break
    return min(0.0, total)


def binomial_upper(errors: int, n: int, log_delta: float) -> float:
    """Return ``max {p : Pr(Bin(n, p) <= errors) >= delta}``, rounded up.

    The one-sided Clopper-Pearson limit (Langford, 2005, JMLR 6, Theorem 3.3), with the
    tail summed in logs so that delta may be as small as a prior probability.

    Args:
        errors: Observed errors, 0 to n.
        n: Independent samples.
        log_delta: Logarithm of delta, at most 0.

    Returns:
        A probability, never below the true maximum; 1 where every sample is an error.
    """
    if errors >= n or not log_delta > -math.inf:
        return 1.0
    low, high = errors / n, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        inside = log_binomial_tail(errors, n, middle) >= log_delta
        low, high = (middle, high) if inside else (low, middle)
    return min(1.0, high + _SLACK)
