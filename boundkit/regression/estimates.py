"""What is estimated: coefficients, lines, statistics of order, tests."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Band", "Coefficient", "Interval", "Line", "Ranks", "Trial"]


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval; both ends NaN where it is not defined.

    Attributes:
        low: Its lower end.
        high: Its upper end.
    """

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient of a line.

    Attributes:
        estimate: By least squares.
        stderr: Its standard error, errors of one variance.
        t: Estimate over standard error.
        p: That it is zero, two-sided, by Student's t.
        interval: By Student's t.
        stderr_hc3: Standard error that allows for unequal variances (MacKinnon, White
            (1985), HC3); NaN where a point has leverage 1.
        p_hc3: As ``p``, by that.
        interval_hc3: As ``interval``, by that.
        bootstrap: Percentiles over resampled points.
    """

    estimate: float
    stderr: float
    t: float
    p: float
    interval: Interval
    stderr_hc3: float
    p_hc3: float
    interval_hc3: Interval
    bootstrap: Interval


@dataclass(frozen=True, slots=True)
class Line:
    """Ordinary least squares of y on x.

    Attributes:
        slope: Of x.
        intercept: At x = 0.
        r2: Share of the variance of y.
        r2_adjusted: The same with degrees of freedom counted.
        residual_sd: Standard deviation of the residuals, n - 2 degrees of freedom.
        df: Degrees of freedom, n - 2.
        p_curvature: That a square of x adds nothing; NaN for fewer than 6 points.
        p_spread: That the residuals spread evenly (Koenker's form of Breusch, Pagan
            (1979)); NaN for fewer than 10 points.
        undetermined: Resamples of the bootstrap that leave no line.
    """

    slope: Coefficient
    intercept: Coefficient
    r2: float
    r2_adjusted: float
    residual_sd: float
    df: int
    p_curvature: float
    p_spread: float
    undetermined: int


@dataclass(frozen=True, slots=True)
class Ranks:
    """Statistics that rest on order, or on medians.

    Attributes:
        spearman: Rank correlation.
        spearman_p: By permutation.
        kendall: tau-b.
        kendall_p: By permutation up to 8 points, else as scipy has it.
        theil_sen: Median of the slopes between pairs.
        theil_sen_interval: By Kendall's distribution (Sen (1968)).
        theil_sen_intercept: Median of y - slope times median of x.
        permutation_p: Of the slope: share of orders of y with one as steep.
        exact: Whether all orders were looked at.
        orders: How many were looked at.
    """

    spearman: float
    spearman_p: float
    kendall: float
    kendall_p: float
    theil_sen: float
    theil_sen_interval: Interval
    theil_sen_intercept: float
    permutation_p: float
    exact: bool
    orders: int


@dataclass(frozen=True, slots=True)
class Band:
    """A line with its intervals at other places.

    Attributes:
        x: Where.
        fitted: The line.
        low: Of the confidence interval of the mean.
        high: The same.
        predicted_low: Of the prediction interval.
        predicted_high: The same.
    """

    x: tuple[float, ...]
    fitted: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    predicted_low: tuple[float, ...]
    predicted_high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """An F test.

    Attributes:
        f: The statistic.
        df: Degrees of freedom of numerator and denominator.
        p: That the smaller model suffices.
    """

    f: float
    df: tuple[int, int]
    p: float
