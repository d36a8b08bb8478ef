"""All groups in one model: a common slope, and whether slopes or intercepts differ."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.regression.estimates import Trial
from boundkit.regression.line import coefficient, quietly_fitted, rescaled
from boundkit.regression.model import Joint
from boundkit.regression.scaling import scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["joint_of"]


def joint_of(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    groups: NDArray[Any],
    level: float,
) -> Joint | None:
    """Return the analysis of covariance of ``y`` on ``x`` and groups.

    Args:
        x: (n,).
        y: (n,).
        groups: (n,), text.
        level: Of the interval of the common slope.

    Returns:
        None with fewer than two groups, where x varies within none, or where nothing is
        left to judge by.
    """
    names, codes = np.unique(groups, return_inverse=True)
    own = (codes[:, None] == np.arange(len(names))).astype(np.float64)
    of = scaled(x, y)
    within = of.x - (own @ ((own.T @ of.x) / own.sum(0)))
    common = np.column_stack([own, of.x])
    if len(names) < 2 or not np.abs(within).max() > 1e-12 or len(x) <= common.shape[1]:
        return None
    # A group whose x does not vary has no slope of its own.
    varied = own.T @ within**2 > 1e-24
    slopes = own * of.x[:, None]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        one = quietly_fitted(of.y, common)
        robust = one.get_robustcov_results("HC3", use_t=True)
        weights = [*np.zeros(len(names)).tolist(), 1.0]
        slope = coefficient(one, robust, weights, None, level)
        pooled = quietly_fitted(of.y, np.column_stack([np.ones(len(x)), of.x]))
        apart = quietly_fitted(of.y, np.column_stack([own, slopes[:, varied]]))
        return Joint(
            groups=tuple(map(str, names)),
            common_slope=rescaled(slope, of.y_unit / of.x_unit),
            r2=1 - float(one.ssr) / float(one.centered_tss),
            slopes_differ=_trial(one, apart) if varied.sum() > 1 else None,
            intercepts_differ=_trial(pooled, one),
        )


def _trial(smaller: Any, larger: Any) -> Trial | None:
    """Return the F test of a model within a larger one; None without freedom."""
    from scipy.stats import f

    down, up = int(larger.df_resid), int(smaller.df_resid - larger.df_resid)
    if down < 1 or up < 1:
        return None
    gained = max(float(smaller.ssr - larger.ssr), 0.0) / up
    left = float(larger.ssr) / down
    value = gained / left if left > 0 else float("inf")
    return Trial(float(value), (up, down), float(f.sf(value, up, down)))
