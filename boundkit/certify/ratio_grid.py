"""The grid on which ratios of norms at additions are rounded up, and what it costs.

A ratio is taken times the *spread* of its summand, the root of how many more paths lead
through it than through the main one, so that a point of the grid is about the share that
a branch adds to the bound. The smallest point is for branches that are off.
"""

from __future__ import annotations

import math

__all__ = ["OFF", "PER_OCTAVE", "grid_cost", "rounded_up"]

#: Points of the grids per factor of 2; which grid is best is found afterwards.
PER_OCTAVE = (1, 2, 4, 8)
#: What a branch that adds less is rounded up to.
OFF = 2.0**-8
#: The smallest point beside it; the points go up from there.
_FIRST = 2.0**-3


def rounded_up(log_ratio: float, per_octave: int) -> tuple[float, int]:
    """Return the logarithm of the next point of the grid, and its number.

    Point -1 is ``2^-8`` and point k >= 0 is ``2^(k / per_octave - 3)``.

    Args:
        log_ratio: Natural logarithm of ratio times spread.
        per_octave: Points of the grid per factor of 2.
    """
    if log_ratio <= math.log(OFF):
        return math.log(OFF), -1
    step = math.log(2) / per_octave
    above = (log_ratio - math.log(_FIRST)) / step
    k = math.ceil(above) if above > 0 else 0
    return math.log(_FIRST) + k * step, k


def grid_cost(numbers: list[int], per_octave: int) -> float:
    """Return the logarithm, negated, of the share of delta of these points together.

    Point -1 has the share 1/2 and point k the share ``c / (2 (k + c)(k + c + 1))`` with
    ``c = 3 per_octave``: in sum 1, and half of the rest lies below ratio 1.

    Args:
        numbers: Of the points, one per ratio.
        per_octave: Points of the grid per factor of 2.
    """
    c = 3 * per_octave
    return math.fsum(
        math.log(2) if k < 0 else math.log(2 * (k + c) * (k + c + 1) / c)
        for k in numbers
    )
