"""Occam's razor bound, from errors and bits to the number.

For a prior P over networks that the sample did not choose: with probability at least
``1 - delta`` over n i.i.d. samples, every network h errs with probability at most the
largest p for which ``Pr(Bin(n, p) <= errors) >= delta P(h)`` (Langford, 2005, JMLR 6,
"Tutorial on practical prediction theory for classification", section 4; a union of
one-sided Clopper-Pearson limits, proof in docs/certificates/code.md).
"""

from __future__ import annotations

import math

from boundkit.numerics.binomial_tail import binomial_upper
from boundkit.numerics.kl_inverse import kl_inverse

__all__ = ["nats_of", "occam", "relaxed"]

#: Relative; far above what the rounding of log-gamma functions adds to a code length.
_SLACK = 1e-9


def nats_of(bits: float) -> float:
    """Return bits as nats, rounded up.

    Args:
        bits: A code length.
    """
    return bits * math.log(2) * (1 + _SLACK) + _SLACK


def occam(errors: int, n: int, bits: float, delta: float) -> float:
    """Return the bound on the error probability, rounded up.

    Args:
        errors: On the sample.
        n: Its size.
        bits: ``-log2 P(h)``.
        delta: Probability that the statement fails.
    """
    return binomial_upper(errors, n, math.log(delta) - nats_of(bits))


def relaxed(errors: int, n: int, bits: float, delta: float) -> float:
    """Return the Chernoff relaxation, ``max {p : kl(q || p) <= nats / n}``.

    Args:
        errors: On the sample.
        n: Its size.
        bits: ``-log2 P(h)``.
        delta: Probability that the statement fails.
    """
    return kl_inverse(errors / n, (nats_of(bits) - math.log(delta)) / n)
