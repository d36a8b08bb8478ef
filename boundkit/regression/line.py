"""Ordinary least squares of one column on another, by statsmodels."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.regression.estimates import Band, Coefficient, Interval, Line
from boundkit.regression.resampling import bootstrap, percentile_interval
from boundkit.regression.scaling import Scaled, scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["band_of", "coefficient", "line_of", "quietly_fitted", "rescaled"]

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
            slope=rescaled(slope, of.y_unit / of.x_unit),
            intercept=rescaled(intercept, of.y_unit),
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
    estimate, stderr = float(np.squeeze(plain.effect)), float(np.squeeze(plain.sd))
    # A line through every point: statsmodels would call 1/0 nothing.
    certain = stderr == 0 and estimate != 0
    return Coefficient(
        estimate=estimate,
        stderr=stderr,
        t=math.copysign(math.inf, estimate)
        if certain
        else float(np.squeeze(plain.tvalue)),
        p=0.0 if certain else float(np.squeeze(plain.pvalue)),
        interval=_interval(plain, level),
        stderr_hc3=stderr_hc3 if known else _NAN,
        p_hc3=_p_hc3(other, estimate, stderr_hc3),
        interval_hc3=_interval(other, level) if known else Interval(_NAN, _NAN),
        bootstrap=Interval(low, high),
    )


def _p_hc3(test: Any, estimate: float, stderr: float) -> float:
    if not math.isfinite(stderr):
        return _NAN
    certain = stderr == 0 and estimate != 0
    return 0.0 if certain else float(np.squeeze(test.pvalue))


def _interval(test: Any, level: float) -> Interval:
    low, high = np.ravel(test.conf_int(1 - level))
    return Interval(float(low), float(high))


def rescaled(of: Coefficient, unit: float) -> Coefficient:
    """Return a coefficient in other units; its tests stay.

    Args:
        of: The coefficient.
        unit: What one becomes.
    """

    def moved(interval: Interval) -> Interval:
        return Interval(unit * interval.low, unit * interval.high)

    return replace(
        of,
        estimate=unit * of.estimate,
        stderr=unit * of.stderr,
        interval=moved(of.interval),
        stderr_hc3=unit * of.stderr_hc3,
        interval_hc3=moved(of.interval_hc3),
        bootstrap=moved(of.bootstrap),
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


def band_of(
    x: NDArray[np.float64], y: NDArray[np.float64], line: Line, level: float
) -> Band:
    """Return a line and its intervals from the least x to the largest, and a bit beyond.

    The intervals of the mean and of another point have half widths
    ``t s sqrt(1/n + d^2 / S)`` and ``t s sqrt(1 + 1/n + d^2 / S)`` at distance d from the
    mean of x, whose squared deviations sum up to S.

    Args:
        x: (n,).
        y: (n,).
        line: Through them.
        level: Of the intervals.
    """
    from scipy.stats import t

    of = scaled(x, y)
    reach = of.x.max() - of.x.min()
    places = np.linspace(
        of.x.min() - _BEYOND * reach, of.x.max() + _BEYOND * reach, _PLACES
    )
    middle = line.intercept.estimate + line.slope.estimate * of.at * of.x_unit
    fitted = middle + line.slope.estimate * of.x_unit * places
    share = 1 / len(x) + places**2 / (of.x**2).sum()
    width = float(t.isf((1 - level) / 2, line.df)) * line.residual_sd
    mean, other = width * np.sqrt(share), width * np.sqrt(1 + share)

    def column(values: NDArray[np.float64]) -> tuple[float, ...]:
        return tuple(map(float, values))

    return Band(
        x=column((of.at + places) * of.x_unit),
        fitted=column(fitted),
        low=column(fitted - mean),
        high=column(fitted + mean),
        predicted_low=column(fitted - other),
        predicted_high=column(fitted + other),
    )
