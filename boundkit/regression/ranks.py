"""Statistics of order: Spearman, Kendall, Theil and Sen, and permutations."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from boundkit.regression.estimates import Interval, Ranks
from boundkit.regression.permutations import EXACT, orders, p_of_pairs, p_of_products
from boundkit.regression.scaling import scaled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ranks_of"]


def ranks_of(
    x: NDArray[np.float64], y: NDArray[np.float64], level: float, draws: int, seed: int
) -> Ranks:
    """Return the statistics that rest on order, or on medians.

    Args:
        x: (n,) with n >= 3, not constant.
        y: (n,), not constant.
        level: Of the interval of Theil and Sen.
        draws: Permutations, where not all are looked at.
        seed: Of the permutations.
    """
    from scipy import stats

    every = orders(len(x), draws, seed)
    of = scaled(x, y)
    x_ranks, y_ranks = stats.rankdata(x), stats.rankdata(y)
    with warnings.catch_warnings():
        # Many ties leave the interval of Theil and Sen wide, which it shows itself.
        warnings.simplefilter("ignore")
        kendall = stats.kendalltau(x, y)
        median = stats.theilslopes(of.y, of.x, level)
    unit = of.y_unit / of.x_unit
    exact = len(x) <= EXACT
    return Ranks(
        spearman=float(stats.pearsonr(x_ranks, y_ranks).statistic),
        spearman_p=p_of_products(x_ranks, y_ranks, every),
        kendall=float(kendall.statistic),
        kendall_p=p_of_pairs(x, y, every) if exact else float(kendall.pvalue),
        theil_sen=float(median.slope) * unit,
        theil_sen_interval=Interval(
            float(median.low_slope) * unit, float(median.high_slope) * unit
        ),
        theil_sen_intercept=float(median.intercept - median.slope * of.at) * of.y_unit,
        permutation_p=p_of_products(of.x, of.y, every),
        exact=exact,
        orders=len(every),
    )
