"""How margins are spread: raw, and over the product of norms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.plot.sheet import COLORS, GRAY, sheet
from boundkit.plot.sources import array_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundkit.plot.sources import Sources

__all__ = ["margin_histogram"]

#: Share of the largest margin below which the spread of margins is drawn by itself.
_NARROW = 0.05


def margin_histogram(sources: Sources) -> Figure | None:
    """Draw histograms of the margins, one panel raw and one over rho.

    Xu, Rangamani, Liao, Galanti, Poggio (2023), figures 8 and 10, of one checkpoint.

    Args:
        sources: With ``margins``.

    Returns:
        The figure; None where there is no histogram.
    """
    raw = _histograms(sources.margins)
    over = _histograms({
        sample: table.get("normalized") or {}
        for sample, table in sources.margins.items()
    })
    panels = [(raw, "margin"), (over, "margin over rho")]
    panels = [(found, label) for found, label in panels if found]
    if not panels:
        return None
    figure, axes = sheet(
        6.4, 0.6 + 2.4 * len(panels), "Margins", sources.title, len(panels)
    )
    for each, (found, label) in zip(axes, panels, strict=True):
        _panel(each, found, label)
    axes[0].legend(fontsize=8, frameon=False)
    return figure


def _histograms(
    margins: Mapping[str, Mapping[str, Any]],
) -> dict[str, tuple[Any, Any]]:
    found = {}
    for sample, table in margins.items():
        histogram = table.get("histogram") or {}
        counts, edges = array_of(histogram, "counts"), array_of(histogram, "edges")
        if counts is not None and edges is not None and counts.sum() > 0:
            found[sample] = (counts, edges)
    return found


def _panel(axes: Axes, found: Mapping[str, tuple[Any, Any]], label: str) -> None:
    ends = []
    for place, (sample, (counts, edges)) in enumerate(found.items()):
        color = COLORS[place % len(COLORS)]
        if edges[0] == edges[-1]:
            # All margins are equal: a bar of no width would not be seen.
            axes.vlines(edges[0], 0, 100, color=color, label=sample)
        else:
            share = 100 * counts / counts.sum()
            axes.stairs(
                share,
                edges,
                label=sample,
                color=color,
                fill=place == 0,
                alpha=0.55 if place == 0 else 1.0,
            )
        filled = np.flatnonzero(counts)
        ends += [edges[filled[0]], edges[filled[-1] + 1]]
    low, high = min(ends), max(ends)
    # Collapsed margins would be a needle beside an empty axis, so zero is left out.
    if not 0 < high - low < _NARROW * max(abs(low), abs(high)):
        low, high = min(low, 0.0), max(high, 0.0)
    room = 0.03 * (high - low) or 1.0
    axes.set_xlim(low - room, high + room)
    # An offset at the corner would make 1.0002 look like 0.0002.
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.locator_params(axis="x", nbins=6)
    axes.axvline(0, color=GRAY, linewidth=1, linestyle=":")
    axes.set_xlabel(f"{label} (errors are left of 0)")
    axes.set_ylabel("% of samples")
