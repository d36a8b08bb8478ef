"""Singular values of layers, with the power law of their tail."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.plot.sheet import BLUE, ORANGE, plain, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundkit.plot.sources import Sources

__all__ = ["layer_spectra"]

#: Layers that are drawn, the ones with the most singular values.
_MOST = 12
_COLUMNS = 3
#: Below this share of the largest one, a singular value is rounding.
_ROUNDING = 1e-7


def layer_spectra(sources: Sources) -> Figure | None:
    """Draw, layer by layer, the share of squared singular values above each of them.

    Where a power law with exponent alpha was fitted from x_min on, its line has slope
    1 - alpha (Clauset, Shalizi, Newman 2009, eq. 2.6).

    Args:
        sources: With ``spectra``, and ``power_laws`` where there are some.

    Returns:
        The figure, of the twelve largest layers at most; None where there is none.
    """
    known = {}
    for name, values in sources.spectra.items():
        ranks, squares = _ranked(np.asarray(values, dtype=np.float64))
        if squares.size and 0 < squares[0] < math.inf:
            above = squares > _ROUNDING**2 * squares[0]
            known[name] = ranks[above], squares[above]
    if not known:
        return None
    largest = sorted(known, key=lambda name: -known[name][0][-1])[:_MOST]
    drawn = [name for name in known if name in largest]
    columns = min(len(drawn), _COLUMNS)
    rows = math.ceil(len(drawn) / columns)
    what = "Spectra of the layers"
    if len(drawn) < len(known):
        what = f"Spectra of the {len(drawn)} largest of {len(known)} layers"
    figure, axes = sheet(
        max(3.0 * columns, 5.0), 0.7 + 2.4 * rows, what, sources.title, rows, columns
    )
    for each in axes[len(drawn) :]:
        each.set_visible(False)
    for place, (each, name) in enumerate(zip(axes, drawn, strict=False)):
        _panel(each, *known[name], sources.power_laws.get(name))
        each.set_title(plain(name, 34), fontsize=8)
        if place % columns == 0:
            each.set_ylabel("share above")
        if place + columns >= len(drawn):
            each.set_xlabel("squared singular value")
    return figure


def _ranked(values: Any) -> tuple[Any, Any]:
    """Return ranks from 1 and squared singular values, largest first."""
    if values.ndim == 2:
        return values[:, 0], np.square(values[:, 1])
    return np.arange(1, len(values) + 1), np.sort(np.square(values))[::-1]


def _panel(
    axes: Axes, ranks: Any, squares: Any, law: tuple[float, float] | None
) -> None:
    count = ranks[-1]
    share = ranks / count
    axes.plot(squares, share, ".", markersize=3, color=BLUE)
    axes.set_xscale("log")
    axes.set_yscale("log")
    # Fits and points may be rounded apart.
    inside = ranks[squares >= law[1] * (1 - 1e-5)] if law else ranks[:0]
    if law is None or inside.size == 0:
        return
    tail = inside[-1]
    alpha, start = law
    ends = np.array([start, squares[0]])
    line = tail / count * (ends / start) ** (1 - alpha)
    label = rf"$\alpha$ = {alpha:.2f}"
    axes.plot(ends, line, color=ORANGE, linewidth=1.5, label=label)
    axes.legend(fontsize=8, frameon=False, loc="lower left")
