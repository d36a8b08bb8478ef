"""A regression: lines through points, what they rest on, and what to think of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from boundkit.regression.estimates import (
        Band,
        Coefficient,
        Interval,
        Line,
        Ranks,
        Trial,
    )
    from boundkit.regression.points import LeftOut
    from boundkit.report.painting import Console, Painted

__all__ = [
    "REGRESSION_SCHEMA",
    "Fit",
    "Joint",
    "Point",
    "Regression",
]

REGRESSION_SCHEMA = "boundkit.regression/1"


@dataclass(frozen=True, slots=True)
class Point:
    """One point, and what the line would be without it.

    Attributes:
        label: Path, or number of the row, or what ``by`` says.
        key: Values of the columns ``by`` as text; empty where rows are points.
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
    key: tuple[str, ...]
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
        from boundkit.plot.regressions.scatter import scatter
        from boundkit.regression.drawing import scattered

        return scatter(scattered(self))

    def plot_bars(self) -> Figure:
        """Draw mean and standard deviation of x and y over the columns ``by``.

        Raises:
            UsageError: ``by`` is empty.
        """
        from boundkit.plot.regressions.level_bars import level_bars
        from boundkit.regression.drawing import barred

        return level_bars(barred(self))

    def __repr__(self) -> str:
        """Render as text."""
        from boundkit.regression.text import render

        return render(self)

    def __rich_console__(self, console: Console, options: Any) -> Painted:
        """Render as text, painted, for rich's consoles."""
        from boundkit.regression.text import lines
        from boundkit.report.painting import painted

        return painted(lines(self, options.max_width), console)

    def _repr_html_(self) -> str:
        """Render for notebooks: the HTML page, in a frame that keeps it to itself."""
        from boundkit.regression.html import render
        from boundkit.report.pages import framed

        return framed(render(self), "boundkit regression")
