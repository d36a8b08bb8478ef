"""The norm of every layer: what makes rho as large as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.sheet import BLUE, GRAY, ORANGE, plain, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundkit.plot.sources import Sources

__all__ = ["layer_norms"]

#: Layers up to which each has a bar and a name.
_NAMED = 40


def layer_norms(sources: Sources) -> Figure | None:
    """Draw log10 of the norm of each layer that rho counts; they sum to log10 rho.

    Args:
        sources: With ``norms``.

    Returns:
        The figure; None where no layer has a norm.
    """
    if not sources.norms:
        return None
    values = np.fromiter(sources.norms.values(), np.float64)
    named = len(values) <= _NAMED
    height = 0.9 + 0.22 * max(len(values), 3) if named else 3.4
    what = f"Norms of {len(values)} layers, log10 rho {values.sum():.4g}"
    figure, (axes,) = sheet(6.4, height, what, sources.title)
    if named:
        _bars(axes, list(sources.norms), values)
    else:
        axes.plot(np.arange(1, len(values) + 1), values, ".", color=BLUE, markersize=3)
        axes.axhline(0, color=GRAY, linewidth=1)
        axes.set_xlabel("layer, in forward order")
        axes.set_ylabel("log10 of the norm")
    return figure


def _bars(axes: Axes, names: list[str], values: np.ndarray) -> None:
    places = np.arange(len(values))
    colors = [BLUE if value >= 0 else ORANGE for value in values]
    axes.barh(places, values, 0.7, color=colors)
    axes.set_yticks(places, [plain(name, 40) for name in names])
    axes.invert_yaxis()
    axes.axvline(0, color=GRAY, linewidth=1)
    axes.set_xlabel("log10 of the norm; left of 0 it makes rho smaller")
