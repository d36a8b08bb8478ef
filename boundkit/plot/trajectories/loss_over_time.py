"""The parts of the square loss over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.plot.trajectories.course import panels
from boundkit.plot.trajectories.lines import draw_lines, known

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundkit.plot.trajectories.course import Course

__all__ = ["loss_over_time"]

_TERMS = {
    "total": "collapse.mse.total",
    "L_NC1": "collapse.mse.l_nc1",
    "L_NC2/3": "collapse.mse.l_nc23",
    "L_perp": "collapse.mse.l_perp",
}


def loss_over_time(course: Course) -> Figure | None:
    """Draw the terms of the square loss of the last layer.

    Han, Papyan, Donoho (2022), figure 2.

    Args:
        course: Of the run.

    Returns:
        The figure; None where the terms are not known.
    """
    lines = known(course, _TERMS)
    if len(lines) < 2:
        return None
    figure, (axes,) = panels(course, "Square loss of the last layer", 1, height=3.2)
    draw_lines(axes, course, lines, "half the mean square, with decay")
    return figure
