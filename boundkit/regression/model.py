"""A regression: lines through points, what they rest on, and what to think of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from boundkit.regression.points import LeftOut

__all__ = [
    "REGRESSION_SCHEMA",
    "Band",
    "Coefficient",
    "Fit",
    "Interval",
    "Joint",
    "Line",
    "Point",
    "Ranks",
    "Regression",
    "Trial",
]

REGRESSION_SCHEMA = "boundkit.regression/1"


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
class Point:
    """One point, and what the line would be without it.

    Attributes:
        label: Path, or number of the row, or what ``by`` says.
        rows: Of the table that it stands for.
        x: As fitted, so a logarithm where one was asked for.
        y: The same.
        x_sd: Standard deviation over the rows it is the mean of; NaN for one.
        y_sd: The same of y.
        fitted: The line at x.
        confidence: Interval of the line's mean there.
        prediction: Interval of another point there.
        leverage: Diagonal of the hat matrix.
        studentized: Residual over its standard deviation without this point.
        cooks: Cook's distance (Cook (1977)).
        slope_without: Slope of the others; NaN where they leave none.
        r2_without: R2 of the others.
    """

    label: str
    rows: tuple[int, ...]
    x: float
    y: float
    x_sd: float
    y_sd: float
    fitted: float
    confidence: Interval
    prediction: Interval
    leverage: float
    studentized: float
    cooks: float
    slope_without: float
    r2_without: float


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
class Fit:
    """A line through the points of one group, or through all.

    Attributes:
        group: Value of the group column; None for all points.
        points: Of it.
        line: None where there is none.
        ranks: None where there is no line.
        band: None where there is no line.
        reason: Why there is no line; "" where there is one.
        remarks: What to think of it, in words.
    """

    group: str | None
    points: tuple[Point, ...]
    line: Line | None
    ranks: Ranks | None
    band: Band | None
    reason: str
    remarks: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class Joint:
    """All groups in one model.

    Attributes:
        groups: Their values.
        common_slope: Of groups with intercepts of their own; no bootstrap.
        r2: Of that model.
        slopes_differ: Whether slopes of their own explain more (interaction); None
            where too few points are left to tell.
        intercepts_differ: Whether intercepts of their own do, at a common slope.
    """

    groups: tuple[str, ...]
    common_slope: Coefficient
    r2: float
    slopes_differ: Trial | None
    intercepts_differ: Trial | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Regression:
    """Lines of one column on another.

    Attributes:
        boundkit: Version.
        source: Name of the table, or "".
        x: Column, or ``log10(column)``.
        y: The same.
        by: Columns whose combinations are the points; empty where rows are.
        group: Column that was fitted apart, or None.
        level: Of every interval.
        resamples: Of the bootstrap.
        seed: Of bootstrap and permutations.
        rows: Of the table.
        left_out: Which of them are no points, and why.
        fit: Through all points.
        groups: Through those of each group.
        joint: All groups in one model; None without groups.
        remarks: On the whole, in words.
    """

    boundkit: str
    source: str
    x: str
    y: str
    by: tuple[str, ...]
    group: str | None
    level: float
    resamples: int
    seed: int
    rows: int
    left_out: tuple[LeftOut, ...]
    fit: Fit
    groups: tuple[Fit, ...]
    joint: Joint | None
    remarks: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """Return the points as a pandas frame, one row each, with all that is known."""
        from boundkit.regression.tables import points_frame

        return points_frame(self)

    def coefficients(self) -> pd.DataFrame:
        """Return the lines as a pandas frame, one row for each group and for all."""
        from boundkit.regression.tables import lines_frame

        return lines_frame(self)

    def plot(self) -> Figure:
        """Draw the points with their line, its intervals, and error bars over repeats."""
        from boundkit.plot.scatter import scatter
        from boundkit.regression.drawing import scattered

        return scatter(scattered(self))

    def plot_bars(self) -> Figure:
        """Draw mean and standard deviation of x and y over the columns ``by``.

        Raises:
            UsageError: ``by`` is empty.
        """
        from boundkit.plot.level_bars import level_bars
        from boundkit.regression.drawing import barred

        return level_bars(barred(self))

    def __repr__(self) -> str:
        """Render as text."""
        from boundkit.regression.text import render

        return render(self)

    def _repr_html_(self) -> str:
        """Render for notebooks: the text, escaped, in a pre element."""
        from html import escape

        return f"<pre>{escape(repr(self))}</pre>"
