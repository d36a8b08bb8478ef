"""The scalar reduction in closed form: rho alone moves, margins are fixed.

With mu = mean fb and A = mean fb^2 + lam, P1 (6) is ``rho' = 2 (mu - A rho)``, P0 (12) is
``rho' = 2 L rho^(2 - 2/L) (mu - A rho)``, P0 (20) is ``(eta/2) rho'' + rho' = 2 (mu - A rho)``,
and a step of descent is ``rho <- rho + 2 eta (mu - A rho)``.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

__all__ = [
    "arrival",
    "descent",
    "free_slope",
    "logistic",
    "oscillator",
    "relaxation",
    "turning_rate",
]


def relaxation(times: Numbers, rho: float, mean: float, stiffness: float) -> Numbers:
    """Return rho(t) of P1 (6): ``rho_eq + (rho - rho_eq) exp(-2 A t)``.

    Args:
        times: (T,).
        rho: At time 0.
        mean: mu.
        stiffness: A, above 0.
    """
    rest = mean / stiffness
    moved: Numbers = rest + (rho - rest) * np.exp(-2 * stiffness * times)
    return moved


def free_slope(rho: Numbers, mean: float, stiffness: float, depth: int) -> Numbers:
    """Return d rho/dt of P0 (12) with decay.

    Args:
        rho: Above 0.
        mean: mu.
        stiffness: A.
        depth: L.
    """
    slope: Numbers = 2 * depth * rho ** (2 - 2 / depth) * (mean - stiffness * rho)
    return slope


def logistic(times: Numbers, rho: float, mean: float, stiffness: float) -> Numbers:
    """Return rho(t) of P0 (12) for L = 2, where it is the logistic equation.

    Args:
        times: (T,).
        rho: At time 0, above 0.
        mean: mu, above 0.
        stiffness: A, above 0.
    """
    rest = mean / stiffness
    moved: Numbers = rest / (1 + (rest / rho - 1) * np.exp(-4 * mean * times))
    return moved


def arrival(
    start: float, end: float, mean: float, stiffness: float, depth: int
) -> float:
    """Return when P0 (12) takes rho from start to end, by quadrature of 1 / slope.

    Args:
        start: rho at time 0, above 0.
        end: On the same side of the rest point.
        mean: mu, above 0.
        stiffness: A.
        depth: L.
    """
    from scipy.integrate import quad

    def hour(log: float) -> float:
        rho = np.exp(log)
        return float(rho / free_slope(rho, mean, stiffness, depth))

    found = quad(hour, np.log(start), np.log(end), epsabs=0, epsrel=1e-11, limit=500)
    return float(found[0])


def oscillator(
    times: Numbers, rho: float, mean: float, stiffness: float, rate: float
) -> Numbers:
    """Return rho(t) of P0 (20) from the velocity of gradient flow.

    The roots of ``(eta/2) s^2 + s + 2 A`` are ``(-1 +- sqrt(1 - 4 eta A))/eta``; complex,
    so that rho turns around its rest point, iff ``4 eta A > 1``.

    Args:
        times: (T,).
        rho: At time 0.
        mean: mu.
        stiffness: A, above 0.
        rate: eta, above 0.
    """
    rest = mean / stiffness
    gap, speed = rho - rest, 2 * (mean - stiffness * rho)
    inside = 1 - 4 * rate * stiffness
    if abs(inside) < 1e-12:
        slow = -1 / rate
        level: Numbers = rest + (gap + (speed - slow * gap) * times) * np.exp(
            slow * times
        )
        return level
    root = np.sqrt(complex(inside))
    first, second = (-1 + root) / rate, (-1 - root) / rate
    weight = (speed - second * gap) / (first - second)
    waves = weight * np.exp(first * times) + (gap - weight) * np.exp(second * times)
    return np.asarray(rest + waves.real, np.float64)


def turning_rate(stiffness: float, rate: float) -> float | None:
    """Return the angular frequency of P0 (20), ``sqrt(4 eta A - 1)/eta``; None if it has none.

    Args:
        stiffness: A.
        rate: eta.
    """
    inside = 4 * rate * stiffness - 1
    return sqrt(inside) / rate if inside > 0 else None


def descent(
    counts: NDArray[np.int64], rho: float, mean: float, stiffness: float, rate: float
) -> Numbers:
    """Return rho after so many steps: ``rho_eq + (rho - rho_eq) (1 - 2 eta A)^k``.

    Args:
        counts: (T,) steps.
        rho: At the start.
        mean: mu.
        stiffness: A, above 0.
        rate: eta.
    """
    rest = mean / stiffness
    with np.errstate(over="ignore"):
        shrunk = (1 - 2 * rate * stiffness) ** counts
    return np.asarray(rest + (rho - rest) * shrunk, np.float64)
