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
    from numpy.typing import NDArray

__all__ = ["P1_FIG10"]

_DECAYING, _FREE = INITS
_BINS = 50
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
        series=_histograms(bench, fitting),
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


def _histograms(
    bench: Bench, fitting: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Return histograms of y f / rho over the fitting runs of a scale, same bins."""
    margins: dict[tuple[float, float], list[NDArray[np.float64]]] = {}
    for row in fitting:
        recipe = recipe_of(bench.scale, row["init"], row["decay"], row["seed"])
        own = margins_of(bench, recipe) / row["rho"]
        margins.setdefault((row["decay"], row["init"]), []).append(own)
    every_one = [one for parts in margins.values() for one in parts]
    whole = np.concatenate(every_one) if every_one else np.zeros(1)
    edges = np.histogram_bin_edges(whole, _BINS)
    return {
        f"weight decay {decay:g}": [
            {
                "init": init,
                "edges": edges.tolist(),
                "counts": np.histogram(np.concatenate(parts), edges)[0].tolist(),
            }
            for (of, init), parts in margins.items()
            if of == decay
        ]
        for decay in INITS
    }


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
    measured = (
        "mean margins y f / rho of the scales: with weight decay "
        + ", ".join(f"{mean:.3f} ({init:g})" for init, mean in parts[0].items())
        + "; without "
        + ", ".join(f"{mean:.3f} ({init:g})" for init, mean in parts[1].items())
    )
    spreads = [_spreads(_half(rows, decay)) for decay in (_DECAYING, _FREE)]
    seeds = sorted(set(spreads[0]) & set(spreads[1]))
    if len(seeds) < 2:
        return Claimed(claim, measured, None, "two complete sets of runs are needed")
    mean, error = mean_and_error([
        spreads[1][seed] - spreads[0][seed] for seed in seeds
    ])
    measured += (
        f"; largest over smallest, over the scales that both have, is {mean:+.2g} +-"
        f" {error:.1g} larger without"
    )
    if abs(mean) <= 2 * error:
        return Claimed(claim, measured, None, "that is within two standard errors")
    holds = mean > 0
    reason = "" if holds else "weight decay does not bring them closer"
    return Claimed(claim, measured, holds, reason)


def _spreads(rows: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """Return largest over smallest mean margin of the shared scales, by seed."""
    found = {}
    for seed in {row["seed"] for row in rows}:
        means = [
            row["mean"]
            for row in rows
            if row["seed"] == seed and row["init"] in _SHARED
        ]
        if len(means) == len(_SHARED):
            found[seed] = max(means) / min(means)
    return found


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
        else f"more than {_ZERO:g}: training ends before the labels are interpolated"
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
        if histograms:
            axis.legend(fontsize=7, frameon=False)
    for axis in axes:
        axis.set_ylim(0, max(axis.get_ylim()[1] for axis in axes))
    axes[0].set_ylabel("training samples of the runs that fit")
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
    minutes=1.4,
    recipes=every,
    measure=_measure,
    draw=_draw,
)
