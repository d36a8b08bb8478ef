"""What each point does to the line: leverage, distance, and the line without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.regression.scaling import scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Influence", "influence_of"]

#: Leverage above which nothing of a residual is left.
_ALONE = 1 - 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """What each point does to a least-squares line; (n,) each.

    Attributes:
        leverage: Diagonal of the hat matrix.
        studentized: Residual over its standard deviation without the point; NaN where
            leverage is 1 or no degree of freedom is left.
        cooks: Cook's distance; NaN where leverage is 1.
        slope_without: Slope of the others; NaN where they leave none.
        r2_without: R2 of the others; NaN likewise.
    """

    leverage: NDArray[np.float64]
    studentized: NDArray[np.float64]
    cooks: NDArray[np.float64]
    slope_without: NDArray[np.float64]
    r2_without: NDArray[np.float64]


def influence_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> Influence:
    """Return what each point does to the least-squares line of ``y`` on ``x``.

    Closed forms of leaving one out (Cook, Weisberg (1982), "Residuals and influence in
    regression", section 2.2).

    Args:
        x: (n,) with n >= 3, not constant.
        y: (n,), not constant.
    """
    of = scaled(x, y)
    n, centered = len(x), of.y - of.y.mean()
    sxx, sxy, syy = of.x @ of.x, of.x @ centered, centered @ centered
    leverage = 1 / n + of.x**2 / sxx
    alone = leverage > _ALONE
    with np.errstate(all="ignore"):
        residual = centered - sxy / sxx * of.x
        rest = np.where(alone, np.nan, 1 - leverage)
        total = residual @ residual
        cooks = residual**2 * leverage / (2 * total / (n - 2) * rest**2)
        without = (
            np.maximum(total - residual**2 / rest, 0.0) / (n - 3) if n > 3 else np.nan
        )
        studentized = residual / np.sqrt(without * rest)
        # Sums over the others, about their own means.
        share = n / (n - 1)
        sxx_i = sxx - share * of.x**2
        sxy_i = sxy - share * of.x * centered
        syy_i = syy - share * centered**2
        slope = np.where(alone, np.nan, sxy_i / sxx_i)
        r2 = np.where(syy_i > 1e-14 * syy, sxy_i**2 / (sxx_i * syy_i), np.nan)
    return Influence(
        leverage=leverage,
        studentized=np.where(np.isfinite(studentized), studentized, np.nan),
        cooks=np.where(np.isfinite(cooks), cooks, np.nan),
        slope_without=slope * (of.y_unit / of.x_unit),
        r2_without=np.where(alone, np.nan, np.minimum(r2, 1.0)),
    )
