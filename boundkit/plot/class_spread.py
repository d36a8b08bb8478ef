"""How far samples are from the mean of their class, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.plot.sheet import COLORS, sheet, ticks_of
from boundkit.plot.sources import array_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundkit.plot.sources import Sources

__all__ = ["class_spread"]

#: Classes up to which each has a bar and a name.
_NAMED = 40


def class_spread(sources: Sources) -> Figure | None:
    """Draw the mean of ``||h - mu_c||^2`` of each class; sorted where they are many.

    Args:
        sources: With ``collapse``.

    Returns:
        The figure; None where there is no spread.
    """
    found = {
        sample: spread
        for sample, values in sources.collapse.items()
        if (spread := array_of(values, "per_class.spread")) is not None
    }
    if not found:
        return None
    classes = max(map(len, found.values()))
    figure, (axes,) = sheet(
        float(np.clip(2.5 + 0.28 * classes, 5.0, 9.0)),
        3.4,
        "Spread within classes",
        sources.title,
    )
    if classes <= _NAMED:
        _bars(axes, found)
        names = sources.class_names or range(classes)
        ticks_of(axes, [str(name) for name in names][:classes])
        axes.set_xlabel("class")
    else:
        for (sample, spread), color in zip(found.items(), COLORS, strict=False):
            axes.plot(np.sort(spread)[::-1], color=color, label=sample)
        axes.set_xlabel(f"{classes} classes, largest spread first")
    every = np.concatenate(list(found.values()))
    positive = every[every > 0]
    if positive.size and positive.max() > 100 * positive.min():
        axes.set_yscale("log")
    axes.set_ylabel(r"mean of $\|h - \mu_c\|^2$")
    axes.legend(
        fontsize=8,
        frameon=False,
        ncols=len(found),
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.0,
    )
    return figure


def _bars(axes: Axes, found: Mapping[str, Any]) -> None:
    width = 0.8 / len(found)
    for place, (sample, spread) in enumerate(found.items()):
        left = np.arange(len(spread)) + (place - (len(found) - 1) / 2) * width
        axes.bar(left, spread, width, color=COLORS[place % len(COLORS)], label=sample)
