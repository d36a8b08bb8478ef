"""P1, figure 10: training margins with and without weight decay, by initialization.

Xu, Rangamani, Liao, Galanti, Poggio (2023), sections 5.1 and 6.2.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_few import (
    DEPARTURES,
    FIT,
    mean_and_error,
    normalized_margins,
    rho_of,
)
from boundkit.lab.figures.xu2023_inits import INITS, MANY, SEEDS, every, recipe_of
from boundkit.lab.measuring import margins_of
from boundkit.plot.sheet import sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

__all__ = ["P1_FIG10"]

_DECAYING, _FREE = INITS
_BINS = 40
#: "Essentially zero": deviation over mean of the margins of one net.
_ZERO = 0.05
#: Scales that both halves have.
_SHARED = tuple(sorted(set(INITS[_DECAYING]) & set(INITS[_FREE])))


def _measure(bench: Bench) -> Outcome:
    rows = tuple(
        _row(bench, decay, init, seed)
        for decay, inits in INITS.items()
        for init in inits
        for seed in range(SEEDS[bench.scale])
    )
    fitting = [row for row in rows if row["fits"]]
    return Outcome(
        claims=(
            _one_value(fitting),
            _smaller(fitting),
            _zero(fitting),
            _noisier(fitting),
        ),
        tables={"main": rows},
        series={
            f"weight decay {decay:g}": [
                _histogram(bench, decay, init) for init in INITS[decay]
            ]
            for decay in INITS
        },
        notes=(
            *DEPARTURES[bench.scale],
            MANY[bench.scale],
            "runs that do not fit their labels do not count",
        ),
    )


def _row(bench: Bench, decay: float, init: float, seed: int) -> dict[str, Any]:
    recipe = recipe_of(bench.scale, init, decay, seed)
    run = bench.runs[recipe]
    margins = margins_of(bench, recipe)
    known = bool(np.isfinite(margins).all()) and rho_of(run) > 0
    found = normalized_margins(bench, recipe, margins) if known else {}
    mean, deviation = found.get("mean"), found.get("deviation")
    error = run.last["train_error"]
    return {
        "decay": decay,
        "init": init,
        "seed": seed,
        "rho": rho_of(run),
        "mean": mean,
        "deviation": deviation,
        "relative": deviation / mean if mean and deviation is not None else None,
        "fits": error is not None and error <= FIT and bool(mean),
    }


def _histogram(bench: Bench, decay: float, init: float) -> dict[str, Any]:
    """Return a histogram of y f / rho over all runs of one scale."""
    parts = []
    for seed in range(SEEDS[bench.scale]):
        recipe = recipe_of(bench.scale, init, decay, seed)
        margins = margins_of(bench, recipe)
        rho = rho_of(bench.runs[recipe])
        if np.isfinite(margins).all() and rho > 0:
            parts.append(margins / rho)
    if not parts:
        return {"init": init, "edges": [0.0, 1.0], "counts": [0]}
    counts, edges = np.histogram(np.concatenate(parts), _BINS)
    return {"init": init, "edges": edges.tolist(), "counts": counts.tolist()}


def _half(rows: Sequence[Mapping[str, Any]], decay: float) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["decay"] == decay]


def _scales(rows: Sequence[Mapping[str, Any]]) -> dict[float, float]:
    """Return the mean margin of each scale, mean over runs."""
    return {
        init: float(np.mean([row["mean"] for row in rows if row["init"] == init]))
        for init in sorted({row["init"] for row in rows})
    }


def _one_value(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = (
        "with weight decay the margins from all initializations concentrate around one"
        " value; without it they make a range of values"
    )
    parts = [_scales(_half(rows, decay)) for decay in (_DECAYING, _FREE)]
    if min(map(len, parts)) < 2:
        return _too_few(claim, rows)
    spreads = [max(part.values()) / min(part.values()) for part in parts]
    measured = (
        "mean margins y f / rho of the scales: with weight decay "
        + ", ".join(f"{mean:.3f} ({init:g})" for init, mean in parts[0].items())
        + "; without "
        + ", ".join(f"{mean:.3f} ({init:g})" for init, mean in parts[1].items())
        + f"; largest over smallest {spreads[0]:.3g} and {spreads[1]:.3g}"
    )
    shared = [[part[init] for init in _SHARED if init in part] for part in parts]
    if min(map(len, shared)) < 2:
        return Claimed(claim, measured, None, "the halves share too few scales")
    fair = [max(part) / min(part) for part in shared]
    measured += f" (over the scales that both have {fair[0]:.3g} and {fair[1]:.3g})"
    holds = fair[0] < fair[1]
    return Claimed(
        claim,
        measured,
        holds,
        "" if holds else "weight decay does not bring them closer",
    )


def _smaller(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = "without weight decay margins are smaller"
    parts = [
        [row["mean"] for row in _half(rows, decay) if row["init"] in _SHARED]
        for decay in (_DECAYING, _FREE)
    ]
    return _compared(claim, "mean margin y f / rho", parts, rows)


def _noisier(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = (
        "without weight decay the margins of a net differ less from each other than with"
        " it: the noise of SGD disappears"
    )
    parts = [
        [row["relative"] for row in _half(rows, decay) if row["init"] in _SHARED]
        for decay in (_DECAYING, _FREE)
    ]
    return _compared(claim, "deviation over mean of a net's margins", parts, rows)


def _compared(
    claim: str,
    what: str,
    parts: Sequence[Sequence[float]],
    rows: Sequence[Mapping[str, Any]],
) -> Claimed:
    """Judge that the first mean is larger, beyond two standard errors."""
    if min(map(len, parts)) < 2:
        return _too_few(claim, rows)
    (one, one_error), (other, other_error) = map(mean_and_error, parts)
    measured = (
        f"{what} over the same scales: {one:.3g} +- {one_error:.1g} with weight decay,"
        f" {other:.3g} +- {other_error:.1g} without"
    )
    if abs(one - other) <= 2 * math.hypot(one_error, other_error):
        return Claimed(
            claim, measured, None, "the difference is within two standard errors"
        )
    return Claimed(
        claim, measured, one > other, "" if one > other else "it is the other way"
    )


def _zero(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = "without weight decay the margins of a net have essentially zero variance"
    found = [row["relative"] for row in _half(rows, _FREE)]
    if not found:
        return _too_few(claim, rows)
    measured = (
        f"deviation over mean of a net's margins: {min(found):.2g} to {max(found):.2g}"
    )
    holds = max(found) < _ZERO
    reason = (
        ""
        if holds
        else f"more than {_ZERO:g}: the nets have not interpolated yet, a cosine schedule"
        " or not"
    )
    return Claimed(claim, measured, holds, reason)


def _too_few(claim: str, rows: Sequence[Mapping[str, Any]]) -> Claimed:
    measured = f"{len(rows)} runs fit their labels"
    return Claimed(claim, measured, None, "too few runs fit their labels")


def _draw(outcome: Outcome) -> Figure:
    from matplotlib import colormaps

    figure, axes = sheet(
        9.5, 3.8, "Training margins y f / rho by initialization", "P1, figure 10", 1, 2
    )
    scales = sorted({init for inits in INITS.values() for init in inits})
    shades = colormaps["viridis"](np.linspace(0, 0.9, len(scales)))
    for axis, (name, histograms) in zip(axes, outcome.series.items(), strict=True):
        for histogram in histograms:
            axis.stairs(
                histogram["counts"],
                histogram["edges"],
                color=shades[scales.index(histogram["init"])],
                label=f"init {histogram['init']:g}",
            )
        axis.set_title(name)
        axis.set_xlabel("margin y f / rho")
        axis.legend(fontsize=7, frameon=False)
    low = min(axis.get_xlim()[0] for axis in axes)
    high = max(axis.get_xlim()[1] for axis in axes)
    for axis in axes:
        axis.set_xlim(low, high)
    axes[0].set_ylabel("training samples of all runs")
    return figure


P1_FIG10 = PaperFigure(
    name="p1-fig10",
    paper="P1",
    title="training margins with and without weight decay",
    claims=(
        "with weight decay margins concentrate around one value for all initializations",
        "without it they are smaller, each with essentially no variance",
    ),
    needs="Fashion-MNIST or other images",
    minutes=None,
    recipes=every,
    measure=_measure,
    draw=_draw,
)
