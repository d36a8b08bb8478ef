"""P-values by permutation: all orders where there are few points, else many draws."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EXACT", "orders", "p_of_pairs", "p_of_products"]

#: Points up to which all orders are looked at: 8! = 40,320.
EXACT = 8
#: Numbers that are held at once, and orders that are drawn even so.
_HELD, _FEWEST = 2_000_000, 999
#: Relative difference that counts as none: sums of one set in two orders differ by it.
_ROUNDING = 1e-12


def orders(n: int, draws: int, seed: int) -> NDArray[np.intp]:
    """Return orders of ``n`` points: all of them for n <= 8, else drawn ones.

    Args:
        n: Points.
        draws: How many where they are drawn, fewer beyond 200 points; the given order
            comes first.
        seed: The same seed gives the same orders.

    Returns:
        (orders, n). A share of them is a valid p-value, since the given order is one
        of them (Phipson, Smyth (2010), "Permutation p-values should never be zero").
    """
    if n <= EXACT:
        return np.array(list(permutations(range(n))), dtype=np.intp)
    generator = np.random.default_rng(seed)
    draws = min(draws, max(_FEWEST, _HELD // n))
    every = np.tile(np.arange(n, dtype=np.intp), (draws + 1, 1))
    generator.permuted(every[1:], axis=1, out=every[1:])
    return every


def p_of_products(
    x: NDArray[np.float64], y: NDArray[np.float64], every: NDArray[np.intp]
) -> float:
    """Return the share of orders with a correlation at least as strong, either way.

    Args:
        x: (n,).
        y: (n,), or ranks for Spearman's.
        every: Orders, as :func:`orders` gives them.
    """
    centered, other = _centered(x), _centered(y)
    return _share(other[every] @ centered, float(other @ centered))


def p_of_pairs(
    x: NDArray[np.float64], y: NDArray[np.float64], every: NDArray[np.intp]
) -> float:
    """Return the share of orders with a Kendall correlation at least as strong.

    Args:
        x: (n,).
        y: (n,).
        every: Orders, as :func:`orders` gives them.
    """
    first, second = np.triu_indices(len(x), 1)
    signs = np.sign(x[first] - x[second])
    moved = y[every]
    found = np.sign(moved[:, first] - moved[:, second]) @ signs
    return _share(found, float(np.sign(y[first] - y[second]) @ signs))


def _centered(values: NDArray[np.float64]) -> NDArray[np.float64]:
    off = values - values.mean()
    scale = float(np.abs(off).max())
    found: NDArray[np.float64] = off / scale if scale > 0 else off
    return found


def _share(found: NDArray[np.float64], given: float) -> float:
    limit = abs(given) - _ROUNDING * max(1.0, abs(given))
    return float(np.mean(np.abs(found) >= limit))
