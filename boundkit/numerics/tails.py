"""Exact upper confidence limits for an error probability."""

from __future__ import annotations

__all__ = ["clopper_pearson"]


def clopper_pearson(errors: int, n: int, delta: float) -> float:
    """Return the largest error probability under which so few errors have chance delta.

    One-sided Clopper-Pearson limit: Langford (2005), JMLR 6, Theorem 3.3 (the test set
    bound); coverage is at least ``1 - delta`` for every n.

    Args:
        errors: Observed errors, 0 to n.
        n: Independent samples that the predictor has not seen.
        delta: Probability that the limit is too low, in (0, 1).
    """
    from scipy.special import betaincinv

    if errors >= n:
        return 1.0
    return float(betaincinv(errors + 1, n - errors, 1 - delta))
