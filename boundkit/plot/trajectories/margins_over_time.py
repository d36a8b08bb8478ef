"""The spread of training margins over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.plot.sheet import BLUE, GRAY
from boundkit.plot.trajectories.course import panels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.plot.trajectories.course import Course

__all__ = ["margins_over_time"]

#: Quantiles from the outside in; each band is drawn over those around it.
_BANDS = (("min", "max"), ("q05", "q95"), ("q10", "q90"))
#: Histograms drawn one over the other, evenly chosen from the run.
_HISTOGRAMS = 6
#: How much larger than the last median the axis may be before it is magnified.
_HIDDEN = 8.0


def margins_over_time(course: Course) -> Figure | None:
    """Draw quantiles of the training margins, raw and over rho, and their histograms.

    Xu, Rangamani, Liao, Galanti, Poggio (2023), figure 8.

    Args:
        course: Of the run.

    Returns:
        The figure; None where margins are not known.
    """
    prefixes = {"margin": "margins.", "margin over rho": "margins.normalized."}
    bands = {
        label: prefix
        for label, prefix in prefixes.items()
        if course.column(f"{prefix}median") is not None
    }
    if not bands:
        return None
    tables = course.histograms.get("raw", ())
    chosen = _chosen(tables)
    figure, axes = panels(course, "Training margins", len(bands) + bool(chosen))
    for each, (label, prefix) in zip(axes, bands.items(), strict=False):
        _bands(each, course, prefix, label)
    axes[0].legend(fontsize=7, frameon=False)
    if chosen:
        axes[-2].set_xlabel(course.axis)
        _ridges(axes[-1], course, tables, chosen)
    return figure


def _bands(axes: Axes, course: Course, prefix: str, label: str) -> None:
    for at, (low, high) in enumerate(_BANDS):
        lower, upper = course.column(prefix + low), course.column(prefix + high)
        if lower is not None and upper is not None:
            axes.fill_between(
                course.places,
                lower,
                upper,
                color=BLUE,
                alpha=0.15 + 0.1 * at,
                linewidth=0,
                label=f"{low} to {high}",
            )
    median = course.column(f"{prefix}median")
    if median is not None:
        axes.plot(course.places, median, color=BLUE, linewidth=1.4, label="median")
        _magnify(axes, median)
    axes.axhline(0, color=GRAY, linewidth=1, linestyle=":")
    axes.set_ylabel(label)


def _magnify(axes: Axes, median: NDArray[np.float64]) -> None:
    """Show late margins that early ones would hide, as margins over a growing rho."""
    last = abs(float(median[np.isfinite(median)][-1]))
    if 0 < last < max(map(abs, axes.get_ylim())) / _HIDDEN:
        axes.set_yscale("symlog", linthresh=last)


def _chosen(tables: Sequence[Mapping[str, Any]]) -> list[int]:
    filled = [at for at, table in enumerate(tables) if sum(table.get("counts", ())) > 0]
    if len(filled) < 2:
        return []
    picks = np.linspace(0, len(filled) - 1, min(_HISTOGRAMS, len(filled)))
    return [filled[at] for at in np.unique(picks.round().astype(int))]


def _ridges(
    axes: Axes,
    course: Course,
    tables: Sequence[Mapping[str, Any]],
    chosen: Sequence[int],
) -> None:
    """Draw histograms as densities, early ones dark, late ones light."""
    from matplotlib import colormaps

    axes.clear()
    axes.spines[["top", "right"]].set_visible(False)
    shades = colormaps["viridis"](np.linspace(0, 0.92, len(chosen)))
    for shade, at in zip(shades, chosen, strict=True):
        counts, edges = (np.asarray(tables[at][name]) for name in ("counts", "edges"))
        label = f"{course.axis} {course.places[at]:g}"
        widths = np.diff(edges)
        if widths.min() <= 0:
            axes.axvline(float(edges[0]), color=shade, label=label)
        else:
            density = counts / counts.sum() / widths
            axes.stairs(density, edges, color=shade, label=label, linewidth=1.2)
    axes.axvline(0, color=GRAY, linewidth=1, linestyle=":")
    axes.set_yscale("symlog", linthresh=1)
    axes.tick_params(which="both", labelsize=8)
    axes.set_xlabel("margin (errors are left of 0)", fontsize=9)
    axes.set_ylabel("density of samples", fontsize=9)
    axes.legend(fontsize=7, frameon=False)
