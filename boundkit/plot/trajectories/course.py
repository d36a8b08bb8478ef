"""What figures of a run are drawn from: plain numbers over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.plot.sheet import GRAY, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["Course", "SignalFit", "panels", "set_scale"]

#: Largest over smallest distance of neighbors from which the axis is logarithmic.
_UNEVEN = 20.0
#: Powers of ten from which values are drawn on a logarithmic axis.
_DECADES = 1.5


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class SignalFit:
    """Singular values of the signal-to-noise matrix, and the law fitted to them.

    Attributes:
        places: (T,) where.
        measured: (T, J).
        by_place: (T, J) the law with time proportional to the place.
        free: (T, J) the law with a free time for every place.
        residuals: Root mean square of log(measured / fitted), of the one and the other.
    """

    places: NDArray[np.float64]
    measured: NDArray[np.float64]
    by_place: NDArray[np.float64]
    free: NDArray[np.float64]
    residuals: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A run; what is missing is not drawn.

    Attributes:
        title: Name of the run.
        axis: What the places count, such as ``"epoch"``.
        places: (T,) increasing.
        columns: Name -> (T,) numbers, NaN where missing.
        layers: Layer -> name -> (T,) numbers.
        histograms: ``"raw"`` and ``"normalized"`` -> T tables with ``counts`` and
            ``edges``, empty where missing.
        began: Where the terminal phase began, or None.
        signal: Signal-to-noise values, or None.
    """

    title: str
    axis: str
    places: NDArray[np.float64]
    columns: Mapping[str, NDArray[np.float64]] = field(default_factory=_nothing)
    layers: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(
        default_factory=_nothing
    )
    histograms: Mapping[str, Sequence[Mapping[str, Any]]] = field(
        default_factory=_nothing
    )
    began: float | None = None
    signal: SignalFit | None = None

    def column(self, name: str) -> NDArray[np.float64] | None:
        """Return a column that holds at least one number, else None.

        Args:
            name: Of the column.
        """
        values = self.columns.get(name)
        return None if values is None or not np.isfinite(values).any() else values


def panels(
    course: Course, what: str, count: int, across: int = 1, height: float = 2.5
) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels over the run, the terminal phase shaded in each.

    Args:
        course: Of the run.
        what: Is drawn.
        count: Panels.
        across: Panels side by side.
        height: Of one, in inches.
    """
    down = -(-count // across)
    width = 6.4 if across == 1 else 4.4 * across
    figure, every = sheet(width, 0.6 + height * down, what, course.title, down, across)
    for spare in every[count:]:
        spare.remove()
    axes = every[:count]
    for at, each in enumerate(axes):
        _place_axis(each, course)
        if at + across >= count:
            each.set_xlabel(course.axis)
    return figure, axes


def _place_axis(axes: Axes, course: Course) -> None:
    places = course.places
    steps = np.diff(places)
    if len(steps) > 1 and steps.max() > _UNEVEN * steps.min():
        least = places[places > 0].min() if (places > 0).any() else 1.0
        if places[0] > 0:
            axes.set_xscale("log")
        else:
            axes.set_xscale("symlog", linthresh=least)
    room = 0.02 * (places[-1] - places[0])
    if axes.get_xscale() != "linear":
        axes.xaxis.set_major_formatter("{x:g}")
    left = room if axes.get_xscale() == "linear" else 0.0
    axes.set_xlim(places[0] - left, places[-1] + room)
    if course.began is not None:
        axes.axvspan(course.began, places[-1] + room, color="0.94", zorder=0)
        axes.axvline(course.began, color=GRAY, linewidth=1, linestyle=":", zorder=1)


def set_scale(axes: Axes, values: Sequence[NDArray[np.float64]]) -> None:
    """Make the vertical axis logarithmic where positive values run over decades.

    Args:
        axes: To set.
        values: What is drawn.
    """
    every = np.concatenate([np.ravel(each) for each in values])
    every = every[np.isfinite(every)]
    positive = every[every > 0]
    if positive.size and np.log10(positive.max() / positive.min()) > _DECADES:
        if every.min() > 0:
            axes.set_yscale("log")
        elif every.min() == 0:
            axes.set_yscale("symlog", linthresh=float(positive.min()))
            axes.set_ylim(bottom=0)
