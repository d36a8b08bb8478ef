"""Bounds on the test error over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.sheet import GRAY
from boundkit.plot.trajectories.course import panels
from boundkit.plot.trajectories.lines import draw_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.plot.trajectories.course import Course

__all__ = ["bound_lines", "bounds_over_time"]

_SMALLEST = 5


def bound_lines(course: Course) -> dict[str, NDArray[np.float64]]:
    """Return the five bounds that are smallest at the end, and the test error.

    Args:
        course: Of the run.
    """
    bounds = {
        name.removeprefix("bound."): values
        for name in course.columns
        if name.startswith("bound.") and name.count(".") == 1
        if (values := course.column(name)) is not None
    }
    if not bounds:
        return {}
    kept = sorted(bounds, key=lambda name: _last(bounds[name]))[:_SMALLEST]
    lines = {name: bounds[name] for name in kept}
    error = course.column("margins.test.train_error")
    if error is not None:
        lines["test error"] = error
    return lines


def bounds_over_time(course: Course) -> Figure | None:
    """Draw the five bounds that are smallest at the end, and the test error.

    Args:
        course: Of the run.

    Returns:
        The figure; None where no bound has a value.
    """
    lines = bound_lines(course)
    if not lines:
        return None
    figure, (axes,) = panels(course, "Bounds on the test error", 1, height=3.4)
    draw_lines(axes, course, lines, "probability of an error")
    axes.axhline(1, color=GRAY, linewidth=1, linestyle="--", zorder=1)
    axes.annotate(
        "vacuous above",
        (0.01, 1),
        xycoords=("axes fraction", "data"),
        fontsize=7,
        color=GRAY,
        va="bottom",
    )
    return figure


def _last(values: NDArray[np.float64]) -> float:
    return float(values[np.isfinite(values)][-1])
