"""Norms layer by layer, and bounds, of several nets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.sheet import COLORS, GRAY, plain, sheet, ticks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Compared", "side_by_side"]

#: Layers up to which each is named, and nets up to which each is in the legend.
_NAMED, _TOLD_APART = 24, 12

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What the figure shows.

    Attributes:
        labels: Of the nets.
        layers: Layer -> log10 of its norm in each net; None where there is none.
        bounds: Bound -> log10 of its value for each net.
    """

    labels: tuple[str, ...]
    layers: Mapping[str, Values]
    bounds: Mapping[str, Values]


def side_by_side(of: Compared) -> Figure:
    """Draw log10 of the norms, layer by layer, and of the bounds, a marker a net.

    Args:
        of: What is drawn; bounds without a value are left out.
    """
    bounds = {
        name: row
        for name, row in of.bounds.items()
        if any(one is not None for one in row)
    }
    columns = 2 if bounds else 1
    what = f"{len(of.labels)} checkpoints side by side"
    figure, axes = sheet(5.2 * columns, 3.8, what, "", columns=columns)
    _series(axes[0], of.labels, of.layers)
    axes[0].set_ylabel("log10 of the norm")
    axes[0].set_xlabel("layer")
    if bounds:
        _series(axes[1], of.labels, bounds)
        axes[1].axhline(0, color=GRAY, linewidth=1, linestyle="--")
        axes[1].set_ylabel("log10 of the bound; above 0 it is vacuous")
    if len(of.labels) <= _TOLD_APART:
        axes[0].legend(fontsize=8, frameon=False)
    return figure


def _series(axes: Axes, labels: tuple[str, ...], table: Mapping[str, Values]) -> None:
    places = np.arange(len(table))
    for at, label in enumerate(labels):
        values = [row[at] for row in table.values()]
        axes.plot(
            places,
            [np.nan if one is None else one for one in values],
            marker="o",
            markersize=4,
            linewidth=0.8,
            color=COLORS[at % len(COLORS)],
            alpha=1.0 if len(labels) <= _TOLD_APART else 0.5,
            label=plain(label),
        )
    if len(table) <= _NAMED:
        ticks_of(axes, list(table))
