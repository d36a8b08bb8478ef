"""Norms and errors over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.plot.trajectories.course import panels
from boundkit.plot.trajectories.lines import draw_lines, known, of_layers

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.plot.trajectories.course import Course

__all__ = ["norm_lines", "norms_over_time"]

_RHO = {"rho": "rho", "rho_eq": "margins.rho_eq"}
_ERROR_LABEL = "% errors"
_ERRORS = {"training": "margins.train_error", "test": "margins.test.train_error"}


def norm_lines(course: Course) -> list[tuple[str, dict[str, NDArray[np.float64]]]]:
    """Return rho, the norm of every layer, and errors: label of the axis and lines.

    Args:
        course: Of the run.
    """
    errors = {name: 100 * values for name, values in known(course, _ERRORS).items()}
    parts = [
        ("rho", known(course, _RHO) or known(course, {"log10 rho": "log10_rho"})),
        ("norm of a layer", of_layers(course, "rho")),
        (_ERROR_LABEL, errors),
    ]
    return [(label, lines) for label, lines in parts if lines]


def norms_over_time(course: Course) -> Figure | None:
    """Draw rho, the norm of every layer, and errors.

    Xu, Rangamani, Liao, Galanti, Poggio (2023), figure 3.

    Args:
        course: Of the run.

    Returns:
        The figure; None where there is nothing to draw.
    """
    parts = norm_lines(course)
    if not parts:
        return None
    figure, axes = panels(course, "Norms and errors", len(parts))
    for each, (label, lines) in zip(axes, parts, strict=True):
        draw_lines(each, course, lines, label, linear=label == _ERROR_LABEL)
    return figure
