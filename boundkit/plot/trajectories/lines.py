"""One panel of lines over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.plot.sheet import plain
from boundkit.plot.trajectories.course import set_scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from boundkit.plot.trajectories.course import Course

__all__ = ["PALETTE", "draw_lines", "known", "of_layers"]

#: Okabe and Ito's colors that are dark enough for lines.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
#: Lines up to which each has a name and a color of its own.
_NAMED = 7


def known(course: Course, names: Mapping[str, str]) -> dict[str, NDArray[np.float64]]:
    """Return the columns that hold numbers, by label.

    Args:
        course: Of the run.
        names: Label -> column.
    """
    found = {label: course.column(name) for label, name in names.items()}
    return {label: values for label, values in found.items() if values is not None}


def of_layers(course: Course, name: str) -> dict[str, NDArray[np.float64]]:
    """Return a column of every layer that holds numbers, by the layer's name.

    Args:
        course: Of the run.
        name: Of the column.
    """
    found = {layer: table.get(name) for layer, table in course.layers.items()}
    return {
        layer: values
        for layer, values in found.items()
        if values is not None and np.isfinite(values).any()
    }


def draw_lines(
    axes: Axes,
    course: Course,
    lines: Mapping[str, NDArray[np.float64]],
    label: str,
    *,
    linear: bool = False,
) -> None:
    """Draw lines with a legend; many of them in shades from first to last, unnamed.

    Args:
        axes: To draw in.
        course: Of the run.
        lines: Label -> (T,) numbers.
        label: Of the vertical axis.
        linear: Whether that is linear and begins at 0, whatever the values.
    """
    from matplotlib import colormaps

    many = len(lines) > _NAMED
    shades = colormaps["viridis"](np.linspace(0, 0.9, len(lines)))
    for at, (name, values) in enumerate(lines.items()):
        style: dict[str, Any] = {"color": shades[at] if many else PALETTE[at]}
        shown = plain(name, 28)
        if many and at not in {0, len(lines) - 1}:
            shown = "_"
        axes.plot(
            course.places,
            values,
            marker=".",
            markersize=3,
            linewidth=1.2,
            label=shown,
            **style,
        )
    if linear:
        axes.set_ylim(bottom=0)
    else:
        set_scale(axes, list(lines.values()))
    axes.set_ylabel(label)
    title = f"{len(lines)} layers" if many else None
    axes.legend(fontsize=7, frameon=False, title=title, title_fontsize=7)
