"""Points with their lines: one column of a table of nets against another."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.sheet import COLORS, GRAY, plain, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Cloud", "Scattered", "scatter"]

_MARKERS = ("s", "o", "^", "D")
#: Clouds up to which each has a color of its own and a line in the legend.
_TOLD_APART = 8
#: Points beyond which they are small and have no edge.
_MANY = 200

Curves = tuple[
    tuple[float, ...],
    tuple[float, ...],
    tuple[float, ...],
    tuple[float, ...],
    tuple[float, ...],
    tuple[float, ...],
]


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points of one color.

    Attributes:
        label: In the legend; may come from a file.
        x: Of each point.
        y: Of each point.
        x_sd: Half length of its horizontal error bar; NaN for none.
        y_sd: Of its vertical one.
        band: x, line, ends of the interval of the mean, and of another point; or None.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_sd: tuple[float, ...]
    y_sd: tuple[float, ...]
    band: Curves | None


@dataclass(frozen=True, slots=True)
class Scattered:
    """What a scatter plot shows.

    Attributes:
        title: Name of the table.
        x: What is on the axis.
        y: The same.
        level: Of the intervals.
        clouds: The points.
    """

    title: str
    x: str
    y: str
    level: float
    clouds: tuple[Cloud, ...]


def scatter(of: Scattered) -> Figure:
    """Draw points with error bars, their lines, and intervals.

    Xu, Rangamani, Liao, Galanti, Poggio (2023), figure 5: squares are means, error bars
    standard deviations over repeats. The dark band is the interval of the line, the
    dotted lines that of another point.

    Args:
        of: What is drawn.
    """
    named = of.clouds if len(of.clouds) <= _TOLD_APART else of.clouds[:_TOLD_APART]
    figure, (axes,) = sheet(6.4, 4.4 + 0.16 * len(named), "Regression", of.title)
    lone = len(of.clouds) == 1
    for place, cloud in enumerate(of.clouds):
        color = COLORS[place % len(COLORS)] if place < _TOLD_APART else GRAY
        _draw(axes, cloud, color, _MARKERS[(place // len(COLORS) + place) % 4], lone)
    _limit(axes, of)
    axes.set_xlabel(plain(of.x))
    axes.set_ylabel(plain(of.y))
    handles, labels = axes.get_legend_handles_labels()
    if any(labels):
        axes.legend(
            handles[:_TOLD_APART],
            labels[:_TOLD_APART],
            fontsize=8,
            frameon=False,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            borderaxespad=0.0,
        )
    return figure


def _draw(axes: Axes, cloud: Cloud, color: str, marker: str, lone: bool) -> None:
    bars = any(map(isfinite, (*cloud.x_sd, *cloud.y_sd)))
    many = len(cloud.x) > _MANY
    axes.errorbar(
        np.array(cloud.x),
        np.array(cloud.y),
        xerr=np.nan_to_num(cloud.x_sd) if bars else None,
        yerr=np.nan_to_num(cloud.y_sd) if bars else None,
        fmt=marker,
        markersize=2.5 if many else 5,
        color=color,
        elinewidth=1,
        capsize=2,
        alpha=0.5 if many else 1,
        label=plain(cloud.label, 90),
    )
    if cloud.band is None:
        return
    x, line, low, high, under, over = cloud.band
    axes.plot(x, line, color=color, linewidth=1.5)
    axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
    if lone:
        for ends in (under, over):
            axes.plot(x, ends, color=color, linewidth=0.8, linestyle=":")


def _limit(axes: Axes, of: Scattered) -> None:
    """Keep the points in view: intervals of few points would squeeze them."""
    every = [
        (y - (sd if isfinite(sd) else 0), y + (sd if isfinite(sd) else 0))
        for cloud in of.clouds
        for y, sd in zip(cloud.y, cloud.y_sd, strict=True)
    ]
    low, high = min(e[0] for e in every), max(e[1] for e in every)
    room = 0.35 * (high - low) or 1.0
    now = axes.get_ylim()
    axes.set_ylim(max(low - room, now[0]), min(high + room, now[1]))
    axes.ticklabel_format(useOffset=False)
