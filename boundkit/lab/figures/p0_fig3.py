"""P0, figure 3: training margins from several initializations.

Poggio, Liao (2021), section 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.beyond_noise import below, center, shown
from boundkit.lab.figures.poggio2021_runs import (
    DECAYS,
    SEEDS,
    departures,
    inits_of,
    recipe_of,
)
from boundkit.lab.measuring import margins_of
from boundkit.plot.sheet import sheet
from boundkit.plot.trajectories.lines import PALETTE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.lab.recipe import Recipe

    Numbers = NDArray[np.float64]
    #: (decay, init) -> margins, one a seed.
    Found = Mapping[tuple[float, float], Sequence["_Margins"]]

__all__ = ["P0_FIG3"]

_DECAYING, _FREE = DECAYS
_SHARES = np.linspace(0, 1, 41)
_NORMS = {
    "rho": "margin / rho",
    "head": "margin / norm of the last layer",
}
_OTHER = (
    "margins are those of two outputs, right less wrong, 2 where targets are met; the lower"
    " row divides by the norm of the last layer alone, the one norm that BatchNorm leaves"
)
_AVERAGED = (
    "margins of a run are sorted before they are averaged over runs, and drawn as shares of"
    " samples below, not as a histogram"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Margins:
    """Margins of one training at its end, sorted, over two norms; None if it diverged.

    Attributes:
        rho: (n,) over the product of all norms.
        head: (n,) over the norm of the last layer.
    """

    rho: Numbers | None
    head: Numbers | None


def _margins(bench: Bench, recipe: Recipe) -> _Margins:
    run = bench.runs[recipe]
    sizes = run.last["rho"], run.last["norms"]["head"]
    if run.diverged is not None or not all(sizes):
        return _Margins(None, None)
    raw = np.sort(margins_of(bench, recipe))
    return _Margins(raw / sizes[0], raw / sizes[1])


def _level(values: Numbers | None) -> float | None:
    """Return log10 of the mean margin; None unless that is positive."""
    if values is None or values.mean() <= 0:
        return None
    return float(np.log10(values.mean()))


def _width(values: Numbers | None) -> float | None:
    """Return the deviation of margins over their mean; None unless that is positive."""
    if values is None or values.mean() <= 0:
        return None
    return float(values.std() / values.mean())


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return tuple(
        recipe_of(scale, init, decay, seed)
        for decay in DECAYS
        for init in inits_of(scale)
        for seed in range(SEEDS[scale])
    )


def _measure(bench: Bench) -> Outcome:
    found = {
        (decay, init): [
            _margins(bench, recipe_of(bench.scale, init, decay, seed))
            for seed in range(SEEDS[bench.scale])
        ]
        for decay in DECAYS
        for init in inits_of(bench.scale)
    }
    return Outcome(
        claims=(_robust(found), _depend(found), _narrow(found)),
        tables={"main": tuple(_rows(found))},
        series={
            norm: [
                {"decay": decay, "init": init, "margins": _averaged(runs, norm)}
                for (decay, init), runs in found.items()
            ]
            for norm in _NORMS
        },
        notes=(*departures(bench), _OTHER, _AVERAGED),
    )


def _rows(found: Found) -> list[dict[str, Any]]:
    return [
        {
            "weight_decay": decay,
            "init": init,
            "seed": seed,
            "log10_mean_margin_over_rho": _level(one.rho),
            "log10_mean_margin_over_last_norm": _level(one.head),
            "deviation_over_mean": _width(one.rho),
        }
        for (decay, init), runs in found.items()
        for seed, one in enumerate(runs)
    ]


def _averaged(runs: Sequence[_Margins], norm: str) -> list[float] | None:
    """Return quantiles of margins, averaged over runs."""
    known = [v for v in (getattr(one, norm) for one in runs) if v is not None]
    if not known:
        return None
    return [float(v) for v in np.mean([np.quantile(v, _SHARES) for v in known], axis=0)]


def _levels(found: Found, decay: float, norm: str) -> Numbers:
    """Return log10 of mean margins, (initializations, seeds), NaN where undefined."""
    rows = [
        [_level(getattr(one, norm)) for one in runs]
        for (of, _init), runs in found.items()
        if of == decay
    ]
    return np.array(rows, np.float64)


def _spreads(levels: Numbers) -> list[float | None]:
    """Return the deviation over initializations, one a seed."""
    wide = levels.std(axis=0)
    return [None if np.isnan(each) else float(each) for each in wide]


def _robust(found: Found) -> Claimed:
    spreads = {
        norm: [_spreads(_levels(found, decay, norm)) for decay in DECAYS]
        for norm in _NORMS
    }
    measured = (
        "deviation of log10 of the mean margin over initializations: "
        + "; ".join(
            f"{_NORMS[norm]} {shown(center(one))} with weight decay, {shown(center(other))}"
            " without"
            for norm, (one, other) in spreads.items()
        )
    )
    return Claimed(
        "weight decay makes the final training margin robust to initialization",
        measured,
        *below(*spreads["rho"]),
    )


def _depend(found: Found) -> Claimed:
    claim = "without weight decay margins depend on the initialization"
    levels = _levels(found, _FREE, "rho")
    if np.isnan(levels).any():
        reason = "a mean margin is not positive, or a training diverged"
        return Claimed(claim, "no margin to compare", None, reason)
    means = 10 ** levels.mean(axis=1)
    inits = [init for of, init in found if of == _FREE]
    measured = "mean margin / rho: " + ", ".join(
        f"{mean:.2g} (init {init:g})" for mean, init in zip(means, inits, strict=True)
    )
    low, high = levels[means.argmin()].tolist(), levels[means.argmax()].tolist()
    return Claimed(claim, measured, *below(low, high))


def _narrow(found: Found) -> Claimed:
    widths = {
        decay: [
            _width(one.rho)
            for (of, _), runs in found.items()
            if of == decay
            for one in runs
        ]
        for decay in DECAYS
    }
    return Claimed(
        "weight decay concentrates the margins in a narrow band over the training set",
        "deviation of margins over their mean, averaged over runs:"
        f" {shown(center(widths[_DECAYING]))} with weight decay,"
        f" {shown(center(widths[_FREE]))} without",
        *below(widths[_DECAYING], widths[_FREE]),
    )


def _draw(outcome: Outcome) -> Figure:
    figure, axes = sheet(
        9, 5.8, "Training margins, averaged over runs", "P0, figure 3", 2, 2
    )
    for row, (norm, lines) in enumerate(outcome.series.items()):
        for column, decay in enumerate(DECAYS):
            axis = axes[2 * row + column]
            _plot(axis, [line for line in lines if line["decay"] == decay])
            axis.set_title(f"weight decay {decay:g}", fontsize=9)
            axis.set_xlabel(_NORMS[norm])
        # One range for both, so that the eye can compare them.
        limits = [axis.get_xlim() for axis in axes[2 * row : 2 * row + 2]]
        for axis in axes[2 * row : 2 * row + 2]:
            axis.set_xlim(
                min(low for low, _ in limits), max(high for _, high in limits)
            )
    for axis in (axes[0], axes[2]):
        axis.set_ylabel("share of samples below")
    axes[0].legend(fontsize=7, frameon=False)
    return figure


def _plot(axis: Axes, lines: Sequence[Mapping[str, Any]]) -> None:
    for at, line in enumerate(lines):
        if line["margins"] is None:
            continue
        values = np.array(line["margins"])
        known = values > 0
        axis.plot(
            values[known],
            _SHARES[known],
            color=PALETTE[at % len(PALETTE)],
            label=f"init {line['init']:g}",
        )
    axis.set_xscale("log")
    axis.set_ylim(0, 1)


P0_FIG3 = PaperFigure(
    name="p0-fig3",
    paper="P0",
    title="training margins from several initializations",
    claims=(
        "weight decay makes margins independent of the initialization",
        "weight decay makes margins alike over the training set",
    ),
    needs="Fashion-MNIST or other images; paper: CIFAR-10",
    minutes=4.5,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
