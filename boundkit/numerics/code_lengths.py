"""How many bits an adaptive code spends on a sequence of symbols."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["kt_bits"]


def kt_bits(counts: Sequence[int]) -> float:
    """Return ``-log2`` of the Krichevsky-Trofimov probability of a sequence.

    The Dirichlet-1/2 mixture: ``P = G(m/2) / G(N + m/2) prod_j G(n_j + 1/2) / G(1/2)``
    with G the gamma function; over all sequences of length N it sums to 1.

    Args:
        counts: How often each symbol of the alphabet occurs, zeros included.

    Returns:
        Bits; 0 for an empty sequence.
    """
    m, total = len(counts), sum(counts)
    if total == 0 or m == 1:
        return 0.0
    nats = math.lgamma(total + m / 2) - math.lgamma(m / 2)
    nats -= math.fsum(math.lgamma(c + 0.5) - math.lgamma(0.5) for c in counts)
    return nats / math.log(2)
