"""The parts of the square loss over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.plot.trajectories.course import panels
from boundkit.plot.trajectories.lines import draw_lines, known

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.plot.trajectories.course import Course

__all__ = ["LOSS_LABEL", "loss_lines", "loss_over_time"]

LOSS_LABEL = "half the mean square, with decay"

_TERMS = {
    "total": "collapse.mse.total",
    "L_NC1": "collapse.mse.l_nc1",
    "L_NC2/3": "collapse.mse.l_nc23",
    "L_perp": "collapse.mse.l_perp",
}


def loss_lines(course: Course) -> dict[str, NDArray[np.float64]]:
    """Return the terms by label, none of them unless there are two.

    Args:
        course: Of the run.
    """
    lines = known(course, _TERMS)
    return lines if len(lines) > 1 else {}


def loss_over_time(course: Course) -> Figure | None:
    """Draw the terms of the square loss of the last layer.

    Han, Papyan, Donoho (2022), figure 2.

    Args:
        course: Of the run.

    Returns:
        The figure; None where the terms are not known.
    """
    lines = loss_lines(course)
    if not lines:
        return None
    figure, (axes,) = panels(course, "Square loss of the last layer", 1, height=3.2)
    draw_lines(axes, course, lines, LOSS_LABEL)
    return figure
