"""Norms and errors over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.plot.trajectories.course import panels
from boundkit.plot.trajectories.lines import draw_lines, known, of_layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundkit.plot.trajectories.course import Course

__all__ = ["norms_over_time"]

_RHO = {"rho": "rho", "rho_eq": "margins.rho_eq"}
_ERRORS = {"training": "margins.train_error", "test": "margins.test.train_error"}


def norms_over_time(course: Course) -> Figure | None:
    """Draw rho, the norm of every layer, and errors.

    Xu, Rangamani, Liao, Galanti, Poggio (2023), figure 3.

    Args:
        course: Of the run.

    Returns:
        The figure; None where there is nothing to draw.
    """
    errors = {name: 100 * values for name, values in known(course, _ERRORS).items()}
    parts = [
        (known(course, _RHO) or known(course, {"log10 rho": "log10_rho"}), "rho"),
        (of_layers(course, "rho"), "norm of a layer"),
        (errors, "% errors"),
    ]
    parts = [(lines, label) for lines, label in parts if lines]
    if not parts:
        return None
    figure, axes = panels(course, "Norms and errors", len(parts))
    for each, (lines, label) in zip(axes, parts, strict=True):
        draw_lines(each, course, lines, label, linear=lines is errors)
    return figure
