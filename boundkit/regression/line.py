"""Ordinary least squares of one column on another, by statsmodels."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.regression.model import Band, Coefficient, Interval, Line
from boundkit.regression.resampling import bootstrap, percentile_interval
from boundkit.regression.scaling import Scaled, scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["band_of", "coefficient", "line_of", "quietly_fitted"]

_NAN = float("nan")
#: Points from which on a curve, or unequal spread, is looked for.
_CURVED, _SPREAD = 6, 10
#: Places at which a line is drawn, and the share of its width drawn beyond the points.
_PLACES, _BEYOND = 101, 0.04


def quietly_fitted(response: NDArray[np.float64], design: NDArray[np.float64]) -> Any:
    """Return the results of ``statsmodels.api.OLS`` on columns that are at hand.

    Args:
        response: (n,).
        design: (n, columns).
    """
    from statsmodels.regression.linear_model import OLS

    return OLS(response, design).fit()


def line_of(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    level: float,
    resamples: int,
    seed: int,
) -> Line:
    """Return the least-squares line of ``y`` on ``x``.

    Args:
        x: (n,) with n >= 3, not constant.
        y: (n,), not constant.
        level: Of the intervals.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """
    of = scaled(x, y)
    design = np.column_stack([np.ones(len(x)), of.x])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Leverage 1 and residuals of zero are results here, and said in words.
        warnings.simplefilter("ignore")
        fitted = quietly_fitted(of.y, design)
        robust = fitted.get_robustcov_results("HC3", use_t=True)
        draws = bootstrap(design, of.y, resamples, seed)
        slope = coefficient(fitted, robust, [0.0, 1.0], draws[:, 1], level)
        at_zero = draws[:, 0] - of.at * draws[:, 1]
        intercept = coefficient(fitted, robust, [1.0, -of.at], at_zero, level)
        return Line(
            slope=_rescaled(slope, of.y_unit / of.x_unit, 0.0),
            intercept=_rescaled(intercept, of.y_unit, of.y_at),
            r2=float(fitted.rsquared),
            r2_adjusted=float(fitted.rsquared_adj),
            residual_sd=math.sqrt(float(fitted.mse_resid)) * of.y_unit,
            df=int(fitted.df_resid),
            p_curvature=_curvature(of),
            p_spread=_spread(fitted, design),
            undetermined=int(np.isnan(draws[:, 1]).sum()),
        )


def coefficient(
    fitted: Any,
    robust: Any,
    combination: list[float],
    draws: NDArray[np.float64] | None,
    level: float,
) -> Coefficient:
    """Return a combination of coefficients with all that is said of one.

    Args:
        fitted: Results of statsmodels.
        robust: The same with HC3 errors.
        combination: Weights of the coefficients.
        draws: The combination in each resample; None without a bootstrap.
        level: Of the intervals.
    """
    plain, other = fitted.t_test(combination), robust.t_test(combination)
    stderr_hc3 = float(np.squeeze(other.sd))
    low, high = (_NAN, _NAN) if draws is None else percentile_interval(draws, level)
    known = math.isfinite(stderr_hc3)
    return Coefficient(
        estimate=float(np.squeeze(plain.effect)),
        stderr=float(np.squeeze(plain.sd)),
        t=float(np.squeeze(plain.tvalue)),
        p=float(np.squeeze(plain.pvalue)),
        interval=_interval(plain, level),
        stderr_hc3=stderr_hc3 if known else _NAN,
        p_hc3=float(np.squeeze(other.pvalue)) if known else _NAN,
        interval_hc3=_interval(other, level) if known else Interval(_NAN, _NAN),
        bootstrap=Interval(low, high),
    )


def _interval(test: Any, level: float) -> Interval:
    low, high = np.ravel(test.conf_int(1 - level))
    return Interval(float(low), float(high))


def _rescaled(of: Coefficient, unit: float, at: float) -> Coefficient:
    """Return a coefficient in the units of the columns; ``at`` shifts it."""

    def moved(interval: Interval) -> Interval:
        return Interval(at + unit * interval.low, at + unit * interval.high)

    estimate, stderr = at + unit * of.estimate, unit * of.stderr
    shifted = replace(
        of,
        estimate=estimate,
        stderr=stderr,
        interval=moved(of.interval),
        stderr_hc3=unit * of.stderr_hc3,
        interval_hc3=moved(of.interval_hc3),
        bootstrap=moved(of.bootstrap),
    )
    return shifted if at == 0 else _tested(shifted, of)


def _tested(of: Coefficient, scaled_one: Coefficient) -> Coefficient:
    """Return an intercept whose tests are against zero in the column's units."""
    from scipy.stats import t

    # The t of the scaled intercept is that of the distance from the column's center.
    df = _degrees(scaled_one)
    statistic = of.estimate / of.stderr if of.stderr else math.inf * of.estimate
    robust = of.estimate / of.stderr_hc3 if of.stderr_hc3 else _NAN
    return replace(
        of,
        t=statistic,
        p=float(2 * t.sf(abs(statistic), df)),
        p_hc3=float(2 * t.sf(abs(robust), df)),
    )


def _curvature(of: Scaled) -> float:
    if len(of.x) < _CURVED or len(np.unique(of.x)) < 4:
        return _NAN
    square = np.column_stack([np.ones(len(of.x)), of.x, of.x**2])
    return float(quietly_fitted(of.y, square).pvalues[2])


def _spread(fitted: Any, design: NDArray[np.float64]) -> float:
    if len(design) < _SPREAD:
        return _NAN
    from statsmodels.stats.diagnostic import het_breuschpagan

    return float(het_breuschpagan(fitted.resid, design)[1])
