"""The best of several draws without counting every one of them on the whole sample.

Each draw has its share of delta, so whichever is reported may be chosen in any way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["halved", "rounds"]

#: Samples of the first round at least.
_FEWEST = 4096


def rounds(draws: int, n: int) -> list[tuple[int, int]]:
    """Return how many draws are counted on how many samples, round by round.

    Half of them go on, to twice as many samples; the last round has the whole sample.

    Args:
        draws: How many there are.
        n: Sample size.
    """
    found, left, some = [], draws, max(_FEWEST, n // draws)
    while left > 1 and some < n:
        found.append((left, some))
        left, some = -(-left // 2), 2 * some
    return [*found, (left, n)]


def halved(
    draws: int, n: int, bounds: Callable[[Sequence[int], int], Sequence[float]]
) -> list[int]:
    """Return the draws that reach the last round.

    Args:
        draws: How many there are.
        n: Sample size.
        bounds: (numbers of draws, samples) -> an estimate of the bound of each from so
            many samples.
    """
    left = list(range(draws))
    for _, some in rounds(draws, n)[:-1]:
        found = dict(zip(left, bounds(left, some), strict=True))
        left = sorted(left, key=lambda at: (found[at], at))[: -(-len(left) // 2)]
    return left
