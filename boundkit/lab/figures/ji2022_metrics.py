"""The four metrics of P4's figures: their panels, and whether they decrease.

Ji, Lu, Zhang, Deng, Su (2022), section 4: features and classifiers for metrics 1 and 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.exhibit import Claimed
from boundkit.lab.figures.beyond_noise import shown
from boundkit.lab.figures.log_labels import log_labels
from boundkit.plot.sheet import BLUE, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

__all__ = ["METRICS", "decreases", "metrics_figure"]

#: Measure -> what the paper says of it.
METRICS = {
    "nc2_equinorm_means": "variation of the norms of class means",
    "nc2_equinorm_weights": "variation of the norms of classifiers",
    "nc1_distance": "within-class variation of features",
    "nc2_max_angle_means": "|cosine + 1/(K - 1)| between class means",
    "nc2_max_angle_weights": "|cosine + 1/(K - 1)| between classifiers",
    "nc3_per_class": "self-duality distance of classifiers and class means",
}
_PANELS = {
    "(a) variation of the norms": ("nc2_equinorm_means", "nc2_equinorm_weights"),
    "(b) within-class variation": ("nc1_distance",),
    "(c) cosines between pairs": ("nc2_max_angle_means", "nc2_max_angle_weights"),
    "(d) self-duality": ("nc3_per_class",),
}
#: Rank correlation with time from which on a course counts as a decrease.
_STEADY = -0.5
#: Share of a horizontal axis that a label needs.
_ROOM = 0.12


def decreases(
    name: str, clock: Sequence[float], values: Sequence[float | None], unit: str
) -> Claimed:
    """Judge whether a metric decreases along the training.

    It has to end below where it was at the first tick past the start, and its ranks have
    to correlate with those of time by -1/2 or less.

    Args:
        name: One of ``METRICS``.
        clock: Epochs or steps, rising.
        values: One a tick; None where undefined.
        unit: Of the clock.
    """
    claim = f"{METRICS[name]} decreases"
    known = [
        (tick, value)
        for tick, value in zip(clock, values, strict=True)
        if tick >= 1 and value is not None
    ]
    if len(known) < 3:
        measured = f"defined at {len(known)} of {len(clock)} recorded {unit}s"
        return Claimed(claim, measured, None, "too few to see a course")
    (first, start), (last, end) = known[0], known[-1]
    order = _rank_correlation(np.array([value for _, value in known], np.float64))
    measured = (
        f"{shown(start)} ({unit} {first:,g}) -> {shown(end)} ({unit} {last:,g}), rank"
        f" correlation with time {order:+.2f}"
    )
    if end < start and order <= _STEADY:
        return Claimed(claim, measured, holds=True)
    if end < start:
        return Claimed(
            claim, measured, None, "it ends lower, but does not steadily fall"
        )
    return Claimed(claim, measured, holds=False, reason="it does not end lower")


def _rank_correlation(values: Numbers) -> float:
    """Return Spearman's correlation of values with their places; 0 if all are equal."""
    smaller = (values[:, None] > values).sum(1)
    ties = (values[:, None] == values).sum(1)
    ranks = smaller + (ties - 1) / 2
    if not ranks.std():
        return 0.0
    return float(np.corrcoef(ranks, np.arange(len(values)))[0, 1])


def metrics_figure(
    lines: Mapping[str, Sequence[float | None]], clock: str, title: str, about: str
) -> Figure:
    """Draw the four panels over a log(log) axis of time, as the paper does.

    Args:
        lines: The clock and ``METRICS``, by name.
        clock: ``"epoch"`` or ``"step"``.
        title: Of the figure.
        about: Which figure of the paper.
    """
    figure, axes = sheet(10, 3.2, title, about, 1, 4)
    ticks = np.array(lines[clock], np.float64)
    for axis, (name, inside) in zip(axes, _PANELS.items(), strict=True):
        labels = ("class means", "classifiers") if len(inside) > 1 else ("",)
        for measure, label, color in zip(inside, labels, (BLUE, ORANGE), strict=False):
            values = np.array(lines[measure], np.float64)
            seen = (ticks >= 1) & (values > 0)
            axis.plot(_placed(ticks[seen]), values[seen], color=color, label=label)
        axis.set_title(name, fontsize=9)
        log_labels(axis)
        _mark(axis, float(ticks.max()), clock)
    axes[0].legend(fontsize=7, frameon=False)
    return figure


def _placed(ticks: Numbers) -> Numbers:
    # The paper's log(log t) has no place for t = 1, where its axes begin.
    placed: Numbers = np.log1p(np.log(ticks))
    return placed


def _mark(axis: Axes, last: float, clock: str) -> None:
    marks = _marks(last)
    places = _placed(np.array(marks, np.float64))
    axis.set_xticks(places, [_short(mark) for mark in marks])
    axis.set_xlabel(f"{clock} (log log scale)")


def _marks(last: float) -> list[int]:
    """Return powers of ten from 1 to the last, or the last itself, that have room."""
    powers = [10**power for power in range(9) if 10**power <= last]
    if last >= 2 * powers[-1]:
        powers.append(int(last))
    room = _ROOM * float(_placed(np.array(powers[-1:], np.float64))[0])
    kept = powers[:1]
    for mark in powers[1:]:
        places = _placed(np.array([kept[-1], mark, powers[-1]], np.float64))
        from_last = places[2] - places[1]
        if places[1] - places[0] >= room and (from_last >= room or mark == powers[-1]):
            kept.append(mark)
    return kept


def _short(mark: int) -> str:
    return f"{mark:g}" if mark < 10_000 else f"1e{len(str(mark)) - 1}"
