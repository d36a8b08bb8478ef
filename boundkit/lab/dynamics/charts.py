"""Charts of simulations as matplotlib figures."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundkit.lab.dynamics.simulation import Chart, Panel

__all__ = ["drawn"]

_LINES = {"line": "-", "dashed": "--", "dotted": ":", "points": ""}
#: Inches of a panel.
_WIDTH, _HEIGHT = 3.9, 2.9
#: Series above which the legend stands beside the axes.
_CROWDED = 4


def drawn(charts: Iterable[Chart]) -> dict[str, Figure]:
    """Return every chart as a figure, by name.

    Args:
        charts: To draw.
    """
    return {chart.name: _figure(chart) for chart in charts}


def _figure(chart: Chart) -> Figure:
    from boundkit.plot.sheet import sheet

    columns = min(chart.columns, len(chart.panels))
    rows = ceil(len(chart.panels) / columns)
    figure, axes = sheet(
        _WIDTH * columns, _HEIGHT * rows + 0.3, chart.title, "", rows, columns
    )
    for place, panel in zip(axes, chart.panels, strict=False):
        _draw(place, panel)
    for empty in axes[len(chart.panels) :]:
        empty.remove()
    return figure


def _draw(axes: Axes, panel: Panel) -> None:
    from boundkit.plot.sheet import plain
    from boundkit.plot.trajectories.lines import PALETTE

    for at, series in enumerate(panel.series):
        known = np.isfinite(series.y) & np.isfinite(series.x)
        if panel.log_y:
            known &= series.y > 0
        if panel.log_x:
            known &= series.x > 0
        axes.plot(
            series.x[known],
            series.y[known],
            linestyle=_LINES[series.style],
            marker="." if series.style == "points" else None,
            markersize=3,
            linewidth=1.2,
            color=PALETTE[at % len(PALETTE)],
            label=plain(series.label) if series.label else None,
        )
    shown = [line for line in axes.get_lines() if len(np.atleast_1d(line.get_xdata()))]
    if panel.log_x and shown:
        axes.set_xscale("log")
    if panel.log_y and shown:
        axes.set_yscale("log")
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    axes.set_title(panel.title, fontsize=9)
    if len(panel.series) > _CROWDED:
        axes.legend(
            fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5)
        )
    elif any(series.label for series in panel.series):
        axes.legend(fontsize=7, frameon=False)
