"""Bars of two quantities over levels, such as shares of random labels."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.sheet import COLORS, plain, sheet, ticks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Bars", "level_bars"]

#: x, its standard deviation, y, its standard deviation; None where there is no point.
Bar = tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class Bars:
    """What bars show.

    Attributes:
        title: Name of the table.
        over: What the levels are of.
        levels: Their names, in order.
        x: The first quantity.
        y: The second.
        series: Name -> one bar a level; NaN deviations are not drawn.
    """

    title: str
    over: str
    levels: tuple[str, ...]
    x: str
    y: str
    series: Mapping[str, tuple[Bar, ...]]


def level_bars(of: Bars) -> Figure:
    """Draw two panels of bars with standard deviations over repeats.

    Xu, Rangamani, Liao, Galanti, Poggio (2023), figure 4: 1/rho, and the test error,
    over the share of random labels.

    Args:
        of: What is drawn.
    """
    width = float(np.clip(1.5 + 0.32 * len(of.levels) * len(of.series), 3.0, 6.0))
    figure, axes = sheet(2 * width, 3.4, f"Over {plain(of.over)}", of.title, columns=2)
    for panel, (each, name) in enumerate(zip(axes, (of.x, of.y), strict=True)):
        for place, (label, bars) in enumerate(of.series.items()):
            _draw(each, bars, 2 * panel, place, len(of.series), label)
        ticks_of(each, of.levels)
        each.set_xlabel(plain(of.over))
        each.set_ylabel(plain(name))
    if any(of.series):
        axes[0].legend(
            fontsize=8,
            frameon=False,
            ncols=len(of.series),
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            borderaxespad=0.0,
        )
    return figure


def _draw(
    axes: Axes, bars: tuple[Bar, ...], at: int, place: int, count: int, label: str
) -> None:
    known = [(i, bar) for i, bar in enumerate(bars) if bar is not None]
    width = 0.8 / count
    left = np.array([i for i, _ in known]) + (place - (count - 1) / 2) * width
    height = [bar[at] for _, bar in known]
    spread = [bar[at + 1] if isfinite(bar[at + 1]) else 0.0 for _, bar in known]
    axes.bar(
        left,
        height,
        width,
        color=COLORS[place % len(COLORS)],
        label=plain(label) or None,
    )
    axes.errorbar(
        left, height, yerr=spread, fmt="none", ecolor="black", elinewidth=1, capsize=2
    )
