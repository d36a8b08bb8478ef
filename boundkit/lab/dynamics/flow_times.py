"""Times to look at, and slopes from what is seen there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

__all__ = ["probed", "regular_times", "slope_at"]


def regular_times(end: float, points: int) -> Numbers:
    """Return 0 and times whose ratios are equal, from a thousandth of the end.

    Args:
        end: The last.
        points: How many after 0.
    """
    return np.concatenate([[0.0], np.geomspace(end / 1000, end, points)])


def probed(times: Numbers) -> tuple[Numbers, NDArray[np.intp]]:
    """Return times with a neighbor on either side of each inner one, and where they are.

    Args:
        times: (T,) increasing.

    Returns:
        (T + 2 (T - 2),) increasing, and the (T,) places of the times among them.
    """
    inner = times[1:-1]
    step = 1e-2 * np.minimum(np.diff(times)[:-1], np.diff(times)[1:])
    every = np.sort(np.concatenate([times, inner - step, inner + step]))
    return every, np.searchsorted(every, times)


def slope_at(times: Numbers, values: Numbers, places: NDArray[np.intp]) -> Numbers:
    """Return the slope of the parabola through each place and its neighbors.

    Args:
        times: (T,) increasing.
        values: (T,) at those times.
        places: (P,) among them.

    Returns:
        (P,), NaN at the first and the last time.
    """
    inner = (places > 0) & (places + 1 < len(times))
    at = places[inner]
    found = np.full(len(places), np.nan)
    left, right = times[at] - times[at - 1], times[at + 1] - times[at]
    before, after = (
        (values[at] - values[at - 1]) / left,
        (values[at + 1] - values[at]) / right,
    )
    found[inner] = (before * right + after * left) / (left + right)
    return found
