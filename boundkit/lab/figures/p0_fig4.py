"""P0, figure 4: the distribution of |f_n| over the epochs.

Poggio, Liao (2021), section 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.beyond_noise import shown
from boundkit.lab.figures.poggio2021_runs import DECAYS, departures, recipe_of
from boundkit.lab.measuring import margins_of
from boundkit.plot.sheet import sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.lab.recipe import Recipe

__all__ = ["P0_FIG4"]

_INIT = 0.1
#: Of a histogram.
_BINS = 40
#: Epochs that are drawn, at most.
_DRAWN = 7
#: Share of training errors up to which a net has learned something.
_ERROR = 0.1
_MEANT = (
    "f_n is the difference of both outputs over rho; it is also compared by its deviation"
    " over its mean, because rho alone moves the whole distribution"
)
_TOO_FEW = "fewer than two recorded epochs with so few training errors"
_LEARNED = (
    f"epochs count from the first recorded one with at most {100 * _ERROR:g} % of training"
    " errors: before, outputs hardly depend on the input, and |f_n| are alike for that"
)


def _recipe(scale: str) -> Recipe:
    return recipe_of(scale, _INIT, DECAYS[0])


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return (_recipe(scale),)


def _measure(bench: Bench) -> Outcome:
    recipe = _recipe(bench.scale)
    run = bench.runs[recipe]
    rows, series = [], []
    for seen in run.rows:
        if not seen["rho"] or seen["epoch"] == run.diverged:
            continue
        values = np.abs(margins_of(bench, recipe, seen["epoch"])) / seen["rho"]
        rows.append(_row(seen, values))
        series.append({"epoch": seen["epoch"], "sorted": np.sort(values).tolist()})
    first = _learned(rows)
    return Outcome(
        claims=(_shrinks(rows[first:]), _narrowest(rows[first:])),
        tables={"main": tuple(rows)},
        series={"epochs": _thinned(series[first:])},
        notes=(*departures(bench), _MEANT, _LEARNED),
    )


def _learned(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return the place of the first epoch with few training errors, or of the end."""
    errors = (row["train_error"] for row in rows)
    few = (at for at, x in enumerate(errors) if x is not None and x <= _ERROR)
    return next(few, len(rows))


def _row(seen: Mapping[str, Any], values: NDArray[np.float64]) -> dict[str, Any]:
    mean, deviation = float(values.mean()), float(values.std())
    return {
        "epoch": seen["epoch"],
        "train_error": seen["train_error"],
        "rho": seen["rho"],
        "mean": mean,
        "deviation": deviation,
        "deviation_over_mean": deviation / mean if mean > 0 else None,
    }


def _thinned(series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return some of the epochs, the first and the last among them."""
    places = np.linspace(0, max(len(series) - 1, 0), _DRAWN).round().astype(int)
    return [series[at] for at in sorted(set(places.tolist())) if at < len(series)]


def _shrinks(rows: Sequence[dict[str, Any]]) -> Claimed:
    claim = "the histogram of |f_n| narrows as training progresses"
    known = [row for row in rows if row["deviation_over_mean"] is not None]
    if len(known) < 2:
        return Claimed(claim, f"{len(known)} epochs", None, _TOO_FEW)
    first, last = known[0], known[-1]
    measured = (
        f"deviation {shown(first['deviation'])} (epoch {first['epoch']}) ->"
        f" {shown(last['deviation'])} (epoch {last['epoch']}), over the mean"
        f" {shown(first['deviation_over_mean'])} -> {shown(last['deviation_over_mean'])}"
    )
    narrower = [last[x] < first[x] for x in ("deviation", "deviation_over_mean")]
    if all(narrower):
        return Claimed(claim, measured, holds=True)
    if any(narrower):
        reason = "only one of the two is smaller at the end, since rho changes, too"
        return Claimed(claim, measured, None, reason)
    return Claimed(claim, measured, holds=False, reason="it becomes wider")


def _narrowest(rows: Sequence[dict[str, Any]]) -> Claimed:
    claim = "at the final epoch the distribution is narrower than at all epochs before"
    known = [row for row in rows if row["deviation_over_mean"] is not None]
    if len(known) < 2:
        return Claimed(claim, f"{len(known)} epochs", None, _TOO_FEW)
    parts, holds = [], []
    for name in ("deviation", "deviation_over_mean"):
        best = min(known[:-1], key=lambda row: float(row[name]))
        holds.append(known[-1][name] < best[name])
        parts.append(
            f"{name.replace('_', ' ')} {shown(known[-1][name])}, the smallest before"
            f" {shown(best[name])} (epoch {best['epoch']})"
        )
    if any(holds) and not all(holds):
        reason = "only by one of the two, since rho changes, too"
        return Claimed(claim, "; ".join(parts), None, reason)
    reason = "" if all(holds) else "an earlier epoch has a narrower one"
    return Claimed(claim, "; ".join(parts), all(holds), reason)


def _draw(outcome: Outcome) -> Figure:
    from matplotlib import colormaps

    figure, (axis,) = sheet(8, 4, "Distribution of |f_n| over epochs", "P0, figure 4")
    lines = outcome.series["epochs"]
    drawn = np.concatenate([line["sorted"] for line in lines] or [[0.1, 1.0]])
    low, high = np.quantile(drawn[drawn > 0], [0.01, 1])
    edges = np.geomspace(low, high * 1.01, _BINS)
    for at, line in enumerate(lines):
        color = colormaps["viridis"](at / max(len(lines) - 1, 1) * 0.95)
        counts, _ = np.histogram(line["sorted"], edges)
        shares = counts / len(line["sorted"])
        axis.stairs(shares, edges, color=color, label=f"epoch {line['epoch']}", lw=1.4)
    axis.set_xscale("log")
    axis.set_xlabel("|f_n| = |margin| / rho")
    axis.set_ylabel("share of training samples")
    if lines:
        axis.legend(fontsize=7, frameon=False)
    return figure


P0_FIG4 = PaperFigure(
    name="p0-fig4",
    paper="P0",
    title="distribution of |f_n| over epochs",
    claims=("the distribution of |f_n| narrows, and is narrowest at the end",),
    needs="Fashion-MNIST or other images; paper: CIFAR-10",
    minutes=0.2,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
