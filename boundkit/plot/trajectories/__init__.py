"""Figures of a run over time, from plain numbers.

To add a figure: write its file here, one function from a ``Course`` to a Figure or None,
and add it to ``TRAJECTORIES``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.plot.trajectories.bounds_over_time import bounds_over_time
from boundkit.plot.trajectories.collapse_over_time import collapse_over_time
from boundkit.plot.trajectories.course import Course, SignalFit
from boundkit.plot.trajectories.loss_over_time import loss_over_time
from boundkit.plot.trajectories.margins_over_time import margins_over_time
from boundkit.plot.trajectories.norms_over_time import norms_over_time
from boundkit.plot.trajectories.ranks_over_time import ranks_over_time
from boundkit.plot.trajectories.signal_over_time import signal_over_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

__all__ = ["TRAJECTORIES", "Course", "SignalFit", "drawn"]

#: The catalog; each is named as its file is.
TRAJECTORIES: tuple[Callable[[Course], Figure | None], ...] = (
    norms_over_time,
    margins_over_time,
    collapse_over_time,
    loss_over_time,
    ranks_over_time,
    bounds_over_time,
    signal_over_time,
)


def drawn(course: Course) -> dict[str, Figure]:
    """Return every figure that the run has numbers for, by name.

    Args:
        course: Of the run.
    """
    figures = {each.__name__: each(course) for each in TRAJECTORIES}
    return {name: figure for name, figure in figures.items() if figure is not None}
