"""Noise of SGD and signal, layer by layer."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.sheet import BLUE, ORANGE, plain, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundkit.plot.sources import Sources

__all__ = ["gradient_noise"]

#: Layers that are drawn, evenly chosen where there are more.
_MOST = 60
_PARTS = (
    ("gradient_noise", "noise: trace of the covariance of minibatch gradients", BLUE),
    ("signal", "signal: squared norm of the mean gradient", ORANGE),
)


def gradient_noise(sources: Sources) -> Figure | None:
    """Draw noise and signal of each layer with their standard errors.

    McCandlish, Kaplan, Amodei et al. (2018), "An empirical model of large-batch training",
    (2.9), has their ratio. An estimate of a signal may be negative; it is left out, as it
    has no place on a logarithmic axis.

    Args:
        sources: With ``noise``.

    Returns:
        The figure; None where no layer has either.
    """
    names = [name for name, row in sources.noise.items() if _known(row)]
    if not names:
        return None
    places = np.unique(np.linspace(0, len(names) - 1, min(len(names), _MOST)).round())
    shown = [names[int(at)] for at in places]
    what = "Noise of SGD"
    if len(shown) < len(names):
        what = f"Noise of SGD, {len(shown)} of {len(names)} layers"
    figure, (axes,) = sheet(6.8, 1.5 + 0.22 * len(shown), what, sources.title)
    rows = [sources.noise[name] for name in shown]
    for at, (key, label, color) in enumerate(_PARTS):
        _points(axes, rows, key, label, color, 0.16 * (2 * at - 1))
    axes.set_xscale("log")
    axes.set_xlabel("squared norm of gradients, with standard errors")
    axes.set_yticks(range(len(shown)), [plain(name, 40) for name in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    axes.legend(
        fontsize=8,
        frameon=False,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        borderaxespad=0.0,
    )
    return figure


def _value(row: Mapping[str, float | None], key: str) -> float | None:
    value = row.get(key)
    return value if value is not None and isfinite(value) and value > 0 else None


def _known(row: Mapping[str, float | None]) -> bool:
    return any(_value(row, key) is not None for key, _, _ in _PARTS)


def _points(
    axes: Axes,
    rows: Sequence[Mapping[str, float | None]],
    key: str,
    label: str,
    color: str,
    aside: float,
) -> None:
    known = [
        (at + aside, value, row.get(f"{key}_stderr") or 0.0)
        for at, row in enumerate(rows)
        if (value := _value(row, key)) is not None
    ]
    if not known:
        return
    places, values, errors = np.array(known, np.float64).T
    # A bar to the left of zero has no end on a logarithmic axis.
    left = np.minimum(errors, 0.9 * values)
    axes.errorbar(
        values,
        places,
        xerr=np.stack([left, errors]),
        fmt="o",
        color=color,
        markersize=4,
        elinewidth=1,
        label=label,
    )
