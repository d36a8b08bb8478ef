"""Ranks of layers over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.plot.trajectories.course import panels
from boundkit.plot.trajectories.lines import draw_lines, of_layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundkit.plot.trajectories.course import Course

__all__ = ["ranks_over_time"]

_RANKS = ("stable_rank", "effective_rank", "numerical_rank")


def ranks_over_time(course: Course) -> Figure | None:
    """Draw stable, effective and numerical rank of every layer.

    Args:
        course: Of the run.

    Returns:
        The figure; None where there are no spectra.
    """
    parts = [(of_layers(course, name), name.replace("_", " ")) for name in _RANKS]
    parts = [(lines, label) for lines, label in parts if lines]
    if not parts:
        return None
    figure, axes = panels(course, "Ranks of layers", len(parts))
    for each, (lines, label) in zip(axes, parts, strict=True):
        draw_lines(each, course, lines, label)
    return figure
