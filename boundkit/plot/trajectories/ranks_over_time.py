"""Ranks of layers over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.plot.trajectories.course import panels
from boundkit.plot.trajectories.lines import draw_lines, of_layers

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.plot.trajectories.course import Course

__all__ = ["rank_lines", "ranks_over_time"]

_RANKS = ("stable_rank", "effective_rank", "numerical_rank")


def rank_lines(course: Course) -> list[tuple[str, dict[str, NDArray[np.float64]]]]:
    """Return each kind of rank, layer by layer: label of the axis and lines.

    Args:
        course: Of the run.
    """
    parts = [(name.replace("_", " "), of_layers(course, name)) for name in _RANKS]
    return [(label, lines) for label, lines in parts if lines]


def ranks_over_time(course: Course) -> Figure | None:
    """Draw stable, effective and numerical rank of every layer.

    Args:
        course: Of the run.

    Returns:
        The figure; None where there are no spectra.
    """
    parts = rank_lines(course)
    if not parts:
        return None
    figure, axes = panels(course, "Ranks of layers", len(parts))
    for each, (label, lines) in zip(axes, parts, strict=True):
        draw_lines(each, course, lines, label)
    return figure
