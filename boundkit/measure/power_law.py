"""The exponent of a power law fitted to the tail of a spectrum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEWEST", "PowerLaw", "power_law", "scan"]

#: Fewest eigenvalues to fit; with less, the exponent says nothing.
FEWEST = 50
#: Points of each tail at which the distance is bounded from below: of all, and then of
#: those that so few do not rule out.
_PROBES = (5, 24, 96)
#: Tails that are no longer worth a bound.
_FEW = 10
#: Elements of a table of probes; more would leave the second-level cache.
_TABLE = 2**15


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """A density proportional to ``x^-alpha`` from ``x_min`` on.

    Attributes:
        alpha: The exponent.
        x_min: Where the tail starts: one of the data.
        distance: Largest difference of the distribution functions (Kolmogorov-Smirnov).
        stderr: ``(alpha - 1) / sqrt(tail)``.
        tail: How many data are in the tail.
        start: Index of x_min in the data, smallest first.
    """

    alpha: float
    x_min: float
    distance: float
    stderr: float
    tail: int
    start: int


def power_law(eigenvalues: NDArray[np.float64]) -> PowerLaw:
    """Fit a power law to the upper tail, whose start is the one that fits best.

    Clauset, Shalizi, Newman (2009), eq. (3.1) and section 3.3. It always finds
    something: that the data follow a power law is no consequence.

    Args:
        eigenvalues: (n,) positive, in any order and of any scale.

    Raises:
        NotApplicable: There are fewer than 50, or all are equal.
    """
    if len(eigenvalues) < FEWEST:
        raise NotApplicable(
            f"{len(eigenvalues)} eigenvalues are too few for a power law; it takes"
            f" {FEWEST}"
        )
    x = np.sort(eigenvalues)
    found = scan(np.log(x))
    if found is None:
        raise NotApplicable("equal eigenvalues have no tail")
    start, alpha, distance = found
    tail = len(x) - start
    return PowerLaw(
        alpha,
        float(x[start]),
        distance,
        (alpha - 1) / math.sqrt(tail),
        tail,
        start,
    )


def scan(logs: NDArray[np.float64]) -> tuple[int, float, float] | None:
    """Return start, exponent and distance of the best tail, the longest of equals.

    Every start has a lower bound of its distance, the largest difference at a few
    points of its tail. The start of the least bound has an exact distance that rules
    out most others; more points are looked at for the rest, twice, and then the exact
    distance in the order of these bounds until they exceed the best one found. The
    result is that of trying all.

    Args:
        logs: (n,) logarithms of the data, smallest first.

    Returns:
        None where no tail has two different values.
    """
    n = len(logs)
    tails = n - np.arange(n - 1)
    # Differences from the largest lose nothing where the logarithms are huge.
    below = logs[-1] - logs
    sums = np.cumsum(below[::-1])[::-1][:-1]
    excess = tails * below[:-1] - sums
    usable = np.flatnonzero(excess > 1e-12 * tails)
    if not len(usable):
        return None
    slopes = np.full(n - 1, math.inf)
    slopes[usable] = tails[usable] / excess[usable]
    best, at = math.inf, n
    bounds = np.zeros(len(usable))
    for probes in _PROBES:
        if len(usable) <= _FEW:
            break
        bounds = _lower_bounds(logs, tails, slopes, usable, probes)
        likely = int(usable[np.argmin(bounds)])
        best, at = min((best, at), (_distance(logs, likely, slopes[likely]), likely))
        usable, bounds = usable[bounds <= best], bounds[bounds <= best]
    order = np.argsort(bounds, kind="stable")
    for index, bound in zip(
        usable[order].tolist(), bounds[order].tolist(), strict=True
    ):
        if bound > best:
            break
        best, at = min((best, at), (_distance(logs, index, slopes[index]), index))
    return at, float(1 + slopes[at]), best


def _distance(logs: NDArray[np.float64], start: int, slope: float) -> float:
    fitted = np.exp(slope * (logs[start] - logs[start:]))
    count = len(fitted)
    np.subtract(1, fitted, out=fitted)
    fitted -= np.arange(count) / count
    return float(max(fitted.max(), -fitted.min()))


def _lower_bounds(
    logs: NDArray[np.float64],
    tails: NDArray[np.int64],
    slopes: NDArray[np.float64],
    usable: NDArray[np.int64],
    probes: int,
) -> NDArray[np.float64]:
    """Return for each usable start the largest difference at some points of its tail."""
    # At the start itself there is no difference.
    places = np.arange(1, probes + 1) / probes
    found = np.empty(len(usable))
    step = _TABLE // probes
    for first in range(0, len(usable), step):
        part = usable[first : first + step]
        count = tails[part][:, None]
        ahead = np.rint(places * (count - 1)).astype(np.int64)
        gaps = logs[part][:, None] - logs[part[:, None] + ahead]
        fitted = 1 - np.exp(slopes[part][:, None] * gaps)
        found[first : first + step] = np.max(np.abs(fitted - ahead / count), axis=1)
    return found
