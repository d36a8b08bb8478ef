"""Noise of minibatches from deviations of single samples, with standard errors.

Notation: N samples in all, m of them looked at (drawn without replacement), B in a
minibatch (drawn likewise). ``s^2 = sum_n ||g_n - mean||^2 / (m - 1)`` estimates the
spread of all N without bias; what m samples leave open is the standard error, 0 for
m = N.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Estimate", "Sampled", "mean_square", "noise_scale", "root", "trace"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error; NaN where it is not defined."""

    value: float
    stderr: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """What m of N samples tell of vectors g_n.

    Attributes:
        squares: (m,) ``||g_n - mean||^2``.
        along: (m,) ``<g_n - mean, mean>``.
        square: ``||mean||^2``.
        population: N.
    """

    squares: NDArray[np.float64]
    along: NDArray[np.float64]
    square: float
    population: int

    @property
    def variance(self) -> float:
        """``s^2``; 0 for one sample of one, NaN for one of many."""
        m = self.squares.size
        if m < 2:
            return 0.0 if self.population <= 1 else math.nan
        return float(self.squares.sum()) / (m - 1)

    @property
    def open(self) -> float:
        """``1/m - 1/N``, the share of the spread that m samples leave in a mean."""
        return 1 / self.squares.size - 1 / self.population

    def stderr(self, influence: NDArray[np.float64]) -> float:
        """Return the standard error of a mean of (m,) influences."""
        left = self.open
        if left <= 0:
            return 0.0
        return float(influence.std(ddof=1)) * math.sqrt(left) if left < 1 else math.nan


def trace(sampled: Sampled, batch: int) -> Estimate:
    """Return the trace of the covariance of a minibatch's mean vector.

    ``(N - B) / (B (N - 1))`` times the population trace; ``(1/B - 1/N) s^2``.

    Args:
        sampled: Of the vectors of single samples.
        batch: B.
    """
    factor = 1 / batch - 1 / sampled.population
    return Estimate(factor * sampled.variance, factor * sampled.stderr(sampled.squares))


def mean_square(sampled: Sampled, batch: int) -> Estimate:
    """Return the mean over minibatches of the squared norm of their mean vector.

    ``||mean||^2 + (1/B - 1/m) s^2``; for B = N that of the full gradient, the signal.

    Args:
        sampled: Of the vectors of single samples.
        batch: B.
    """
    factor = 1 / batch - 1 / sampled.squares.size
    # A factor of zero must not meet a variance that is not known.
    value = sampled.square + (factor * sampled.variance if factor else 0.0)
    influence = 2 * sampled.along + factor * sampled.squares
    return Estimate(value, sampled.stderr(influence))


def noise_scale(sampled: Sampled) -> Estimate:
    """Return the population trace over the squared norm of the full gradient.

    The simple noise scale of McCandlish et al. (2018), (2.9): the batch size at which
    noise and signal are equally large. The standard error is by the delta method.

    Args:
        sampled: Of the gradients of single samples.

    Returns:
        NaN where the signal cannot be told from 0.
    """
    n = sampled.population
    signal = mean_square(sampled, n).value
    if not signal > 0:
        return Estimate(math.nan, math.nan)
    share = 1 - 1 / n
    value = share * sampled.variance / signal
    influence = (
        share * sampled.squares
        - value * (2 * sampled.along - sampled.open * sampled.squares)
    ) / signal
    return Estimate(value, sampled.stderr(influence))


def root(square: Estimate) -> Estimate:
    """Return the square root of an estimate; NaN where that is negative."""
    if not square.value >= 0:
        return Estimate(math.nan, math.nan)
    value = math.sqrt(square.value)
    if square.stderr == 0:
        return Estimate(value)
    return Estimate(value, square.stderr / (2 * value) if value > 0 else math.nan)
