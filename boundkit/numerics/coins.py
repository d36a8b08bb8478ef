r"""How much a ReLU network can add to the noise that a linear map would fit.

Every ReLU layer is a coin: with probability 1/2 it passes its input on, else it keeps the
top half of what is left of the distribution over the signs. After j heads out of L - 1
coins what is left is the conditional mean of the top share 2^-j, so

    K_L = E_j sqrt(C_j),   C_j >= CVaR_{1 - 2^-j}(Y^2) / E Y^2,   Y = ||sum_i e_i x_i||.

docs/theory.md proves this (Lemmas 1 to 3, Theorems A and B).
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "activation_coin",
    "chain_constant",
    "chain_constant_of_data",
    "dense_constant",
    "dense_constant_of_data",
    "heads",
    "max_pool_coin",
    "second_moment",
    "sign_moments",
    "tail_factors",
]

#: Moments of Y^2 that are taken from a sample; beyond them nothing improves up to L = 30.
_MOMENTS = 12
#: Moments that every sample obeys are free; these are searched for the best one.
_FREE_MOMENTS = 64
#: Coins beyond which Theorem B, quadratic in their number, is not tried.
_DEEP = 256


def activation_coin(slope: float) -> tuple[float, float]:
    """Return the probability of heads of a LeakyReLU, and the factor it puts on rho.

    Args:
        slope: Of the negative part; 0 is ReLU, 1 the identity, -1 the absolute value.
    """
    even, odd = abs(1 - slope), abs(1 + slope)
    return even / (even + odd), (even + odd) / 2


def max_pool_coin(positions: int, slope: float) -> float:
    """Return the probability of heads of max pooling together with an activation.

    Args:
        positions: Number of positions in the largest window.
        slope: Of the activation before or after it, in [0, 1]; 1 if there is none.
    """
    return 1 - (1 + slope) / (2 * positions)


def _binomial(count: int, p: float) -> NDArray[np.float64]:
    """Return (count + 1,) probabilities of heads of equal coins."""
    number = np.arange(count + 1)
    if p in {0.0, 1.0}:
        return np.asarray(number == count * p, np.float64)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
    choices = logs[-1] - logs - logs[::-1]
    exponent = choices + number * math.log(p) + (count - number) * math.log1p(-p)
    return np.asarray(np.exp(exponent), np.float64)


def heads(coins: Sequence[float]) -> NDArray[np.float64]:
    """Return (len(coins) + 1,) probabilities of 0, 1, 2, .. heads of independent coins."""
    law = np.ones(1)
    for p, count in Counter(coins).items():
        law = np.convolve(law, _binomial(count, p))
    return law


def _double_factorials(count: int) -> NDArray[np.float64]:
    """Return (1!!, 3!!, 5!!, ..): the even moments of a standard normal variable."""
    return np.asarray(
        np.cumprod(np.arange(1, 2 * count, 2, dtype=np.float64)), np.float64
    )


def sign_moments(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bound the moments of ``Y^2 / E Y^2`` for ``Y = ||sum_i e_i x_i||``.

    Signs have smaller even moments than Gaussians, whose cumulants are
    ``2^(r-1) (r-1)! sum l^r`` (Lemma 3).

    Args:
        spectrum: (..., d) eigenvalues of ``sum_i x_i x_i^T`` over their sum.

    Returns:
        (..., 12) upper bounds on the first to twelfth moment.
    """
    top = np.max(spectrum, axis=-1, initial=0.0, keepdims=True)
    ratio = np.divide(spectrum, top, out=np.zeros_like(spectrum), where=top > 0)
    shape = spectrum.shape[:-1]
    cumulants = [np.ones(shape)]
    power = ratio
    for r in range(2, _MOMENTS + 1):
        power = np.asarray(power * ratio)
        scale = 2.0 ** (r - 1) * math.factorial(r - 1)
        cumulants.append(scale * np.sum(power, axis=-1) * top[..., 0] ** r)
    moments = [np.ones(shape)]
    for m in range(1, _MOMENTS + 1):
        moments.append(
            np.sum(
                [
                    math.comb(m - 1, r - 1) * cumulants[r - 1] * moments[m - r]
                    for r in range(1, m + 1)
                ],
                axis=0,
            )
        )
    bounded = np.stack(moments[1:], axis=-1)
    limit: NDArray[np.float64] = np.minimum(bounded, _double_factorials(_MOMENTS))
    return limit


def _free_factors(log_level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tail factors that every sample obeys, at levels 2^j."""
    # The best moment is near log(2^j); the first ones are searched.
    deep = np.maximum(np.ceil(log_level), 1).astype(np.int64)
    last = max(_FREE_MOMENTS, int(deep.max(initial=1)))
    logs = np.cumsum(np.log(np.arange(1, 2 * last, 2)))
    order = np.arange(1, _FREE_MOMENTS + 1)
    searched = (log_level[:, None] + logs[: order.size]) / order
    best = np.minimum(searched.min(axis=1), (log_level + logs[deep - 1]) / deep)
    level = np.exp(np.minimum(log_level, 700.0))
    return np.asarray(np.minimum(np.exp(best), 1 + np.sqrt(2 * (level - 1))))


def tail_factors(
    count: int, moments: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the tail factors ``C_0 .. C_{count-1}`` (Lemma 3).

    Args:
        count: How many.
        moments: (..., m) moments of ``Y^2 / E Y^2``; None means those that every sample
            obeys, 1, 3, 15, ...

    Returns:
        (..., count) factors.
    """
    log_level: NDArray[np.float64] = math.log(2) * np.arange(count, dtype=np.float64)
    free = _free_factors(log_level)
    if moments is None:
        return free
    kappa = np.sqrt(np.maximum(moments[..., 1] - 1, 0))
    level = np.exp(np.minimum(log_level, 700.0))
    best: NDArray[np.float64] = np.minimum(
        free, 1 + kappa[..., None] * np.sqrt(level - 1)
    )
    for m in range(2, moments.shape[-1] + 1):
        exponent = (log_level + np.log(moments[..., m - 1, None])) / m
        best = np.minimum(best, np.exp(np.minimum(exponent, 700.0)))
    return best


def chain_constant(coins: Sequence[float]) -> float:
    """Return ``K_L = E_j sqrt(C_j)``, whatever the data (Theorem A).

    Args:
        coins: Probability of heads of each nonlinear layer on a path.
    """
    law = heads(coins)
    return float(law @ np.sqrt(tail_factors(law.size)))


def chain_constant_of_data(
    coins: Sequence[float],
    weight: NDArray[np.float64],
    spectrum: NDArray[np.float64],
) -> float:
    """Return ``K_L`` for one sample (Theorem A with the first layer's patches).

    Args:
        coins: Probability of heads of each nonlinear layer on a path.
        weight: (q,) paths from output position q of the first layer to the output, times
            the energy of the patch that is seen there.
        spectrum: (q, d) eigenvalues of the patch covariances over their trace.
    """
    law = heads(coins)
    factors = tail_factors(law.size, sign_moments(spectrum))
    total = float(np.sum(weight))
    if not total > 0:
        return chain_constant(coins)
    mean = (weight @ factors) / total
    return min(chain_constant(coins), float(law @ np.sqrt(mean)))


def second_moment(coins: Sequence[float]) -> float:
    """Return ``M = E 2^min(j, j')`` for two independent numbers of heads (Theorem B)."""
    law = heads(coins)
    levels = np.arange(law.size)
    return float(law @ 2.0 ** np.minimum.outer(levels, levels) @ law)


def _dual_bound(
    multipliers: NDArray[np.float64],
    heights: NDArray[np.float64],
    masses: NDArray[np.float64],
    moments: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64]]:
    """Evaluate the dual of: maximize E H Y subject to E Y^2m <= moments, with gradient.

    Every choice of multipliers gives an upper bound. For one height h the inner maximum
    of ``h y - P(y)`` is at most ``P'(z) z - P(z)`` for any z with ``P'(z) >= h``, because
    P is convex; z is the upper end of a bisection, so the bound is safe, not just close.
    """
    order = np.arange(1, moments.size + 1)
    low, high = np.zeros(heights.size), np.ones(heights.size)

    def slope(y: NDArray[np.float64]) -> NDArray[np.float64]:
        powers = y[:, None] ** (2 * order - 1)
        return np.asarray(powers @ (2 * order * multipliers))

    while np.any(short := slope(high) < heights):
        high[short] *= 2
    for _ in range(60):
        middle = (low + high) / 2
        under = slope(middle) < heights
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    powers = high[:, None] ** (2 * order)
    inner = powers @ ((2 * order - 1) * multipliers)
    return float(masses @ inner + multipliers @ moments), moments - masses @ powers


def _by_duality(coins: Sequence[float], moments: NDArray[np.float64]) -> float:
    """Bound ``E_j CVaR_j(Y) / sqrt(E Y^2)`` by the best multipliers found."""
    from scipy.optimize import minimize

    law = heads(coins)
    levels = np.arange(law.size)
    masses: NDArray[np.float64] = np.asarray(2.0 ** -(levels + 1), np.float64)
    masses[-1] *= 2
    heights = np.cumsum(law * 2.0**levels)
    moments = moments[:7]

    def objective(logs: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        multipliers = np.exp(logs) / moments
        value, gradient = _dual_bound(multipliers, heights, masses, moments)
        return value, gradient * multipliers

    start = np.full(moments.size, -6.0)
    start[0] = math.log(0.5)
    found = minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=[(-40, 5)] * 7
    )
    return float(found.fun) * (1 + 1e-12)


def dense_constant(coins: Sequence[float]) -> float:
    """Return ``K_L`` where every layer has one position, whatever the data (Theorem B).

    Args:
        coins: Probability of heads of each nonlinear layer.
    """
    if not coins:
        return 1.0
    if len(coins) > _DEEP:
        return chain_constant(coins)
    return min(
        math.sqrt(second_moment(coins)),
        chain_constant(coins),
        _by_duality(coins, _double_factorials(_MOMENTS)),
    )


def dense_constant_of_data(
    coins: Sequence[float], spectrum: NDArray[np.float64]
) -> float:
    """Return ``K_L`` where every layer has one position, for one sample (Theorem B).

    Args:
        coins: Probability of heads of each nonlinear layer.
        spectrum: (d,) eigenvalues of ``sum_i x_i x_i^T`` over their trace.
    """
    if not coins or len(coins) > _DEEP:
        return dense_constant(coins)
    moments = sign_moments(spectrum)
    kappa = math.sqrt(max(float(moments[1]) - 1, 0.0))
    return min(
        dense_constant(coins),
        1 + kappa / 2 * math.sqrt(second_moment(coins) - 1),
        _by_duality(coins, moments),
    )
