"""Measures in the order in which they predict: their mistakes about pairs of nets."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.sheet import BLUE, GRAY, ORANGE, plain, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Ranked", "RankedMeasure", "ranking_chart"]

#: Measures that are drawn.
_MOST = 30


@dataclass(frozen=True, slots=True)
class RankedMeasure:
    """One row of the chart; NaN where a number is not defined.

    Attributes:
        name: Of the measure; may come from a file.
        kendall: Rank correlation with the error over all nets.
        granulated: The same, one hyperparameter at a time.
        mean: Sign error over environments.
        high: Its 90th percentile.
        worst: Its maximum.
    """

    name: str
    kendall: float
    granulated: float
    mean: float
    high: float
    worst: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """What the chart shows.

    Attributes:
        title: Name of the table.
        y: What is predicted.
        measures: Best first.
    """

    title: str
    y: str
    measures: tuple[RankedMeasure, ...]


def ranking_chart(of: Ranked) -> Figure:
    """Draw correlations and sign errors of measures, best first.

    Jiang, Neyshabur, Mobahi, Krishnan, Bengio (2020), "Fantastic generalization measures
    and where to find them"; Dziugaite et al. (2020), "In search of robust measures of
    generalization", figure 1. Sign errors are left out where no environment has enough
    pairs.

    Args:
        of: What is drawn.
    """
    shown = of.measures[:_MOST]
    robust = any(isfinite(one.mean) for one in shown)
    what = f"Which measure orders {plain(of.y)}"
    if len(shown) < len(of.measures):
        what += f" (best {len(shown)} of {len(of.measures)})"
    figure, axes = sheet(
        10.0 if robust else 7.0,
        1.3 + 0.24 * len(shown),
        what,
        of.title,
        columns=2 if robust else 1,
    )
    _correlations(axes[0], shown)
    places = np.arange(len(shown))
    for each in axes:
        each.set_ylim(len(shown) - 0.4, -0.6)
        each.set_yticks(places, [""] * len(shown))
        each.grid(axis="x", color="0.9")
        each.set_axisbelow(True)
    axes[0].set_yticks(places, [plain(one.name, 44) for one in shown])
    if robust:
        _sign_errors(axes[1], shown)
    for each in axes:
        each.legend(
            fontsize=8,
            frameon=False,
            ncols=3,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            borderaxespad=0.0,
        )
    return figure


def _correlations(axes: Axes, shown: tuple[RankedMeasure, ...]) -> None:
    places = np.arange(len(shown))
    kendall = [one.kendall for one in shown]
    axes.barh(places, kendall, 0.6, color=BLUE, alpha=0.45, label="all pairs")
    granulated = [one.granulated for one in shown]
    if any(map(isfinite, granulated)):
        axes.plot(
            granulated, places, "D", color=ORANGE, markersize=4, label="granulated"
        )
    axes.axvline(0, color=GRAY, linewidth=1)
    axes.set_xlim(-1.05, 1.05)
    axes.set_xlabel("Kendall correlation with the error")


def _sign_errors(axes: Axes, shown: tuple[RankedMeasure, ...]) -> None:
    places = np.arange(len(shown))
    mean = np.array([one.mean for one in shown])
    worst = np.array([one.worst for one in shown])
    axes.hlines(places, mean, worst, color=GRAY, linewidth=1)
    axes.plot(mean, places, "o", color=BLUE, markersize=5, label="mean")
    axes.plot(
        [o.high for o in shown], places, "|", color=GRAY, markersize=9, label="90 %"
    )
    axes.plot(worst, places, "s", color=ORANGE, markersize=5, label="worst")
    axes.axvline(0.5, color=GRAY, linewidth=1, linestyle=":")
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel("share of pairs in the wrong order (0.5: chance)")
