"""P1, figure 5: 1/rho against test accuracy over scales of initialization.

Xu, Rangamani, Liao, Galanti, Poggio (2023), section 4.2. The caption says accuracy, and
so does its regression; the text speaks of test error. Accuracy is what is fitted here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.errors import DataError
from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_few import DEPARTURES, FIT, rho_of
from boundkit.lab.figures.xu2023_inits import INITS, MANY, SEEDS, every, recipe_of
from boundkit.plot.sheet import BLUE, GRAY, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

__all__ = ["P1_FIG5"]

#: A slope is told from zero below this.
_LEVEL = 0.05
#: "No relation": R2 up to this.
_NONE = 0.1
_PRINTED = {
    0.001: "R2 = 0.94, p = 0.031, slope = -18.968",
    0.0: "R2 = 0.004, p = 0.92, slope = -2.915",
}
_CAPTION = (
    "the paper's caption says accuracy and its text test error; accuracy is fitted here,"
    " so the paper's negative slope means that smaller margins went with better nets"
)


def _measure(bench: Bench) -> Outcome:
    runs = tuple(_row(bench, *case) for case in _cases(bench.scale))
    fits = {decay: _fitted([r for r in runs if r["decay"] == decay]) for decay in INITS}
    return Outcome(
        claims=(
            _related(fits[0.001], [r for r in runs if r["decay"] == 0.001]),
            _unrelated(fits[0.0], [r for r in runs if r["decay"] == 0.0]),
        ),
        tables={
            "main": runs,
            "lines": tuple({"decay": d, **fit} for d, fit in fits.items() if fit),
        },
        series={
            f"weight decay {decay:g}": {
                "rows": [row for row in runs if row["decay"] == decay],
                "line": fits[decay],
            }
            for decay in INITS
        },
        notes=(*DEPARTURES[bench.scale], _CAPTION, MANY[bench.scale]),
    )


def _cases(scale: str) -> tuple[tuple[float, float, int], ...]:
    return tuple(
        (decay, init, seed)
        for decay, inits in INITS.items()
        for init in inits
        for seed in range(SEEDS[scale])
    )


def _row(bench: Bench, decay: float, init: float, seed: int) -> dict[str, Any]:
    run = bench.runs[recipe_of(bench.scale, init, decay, seed)]
    wrong, error = run.last["test_error"], run.last["train_error"]
    return {
        "decay": decay,
        "init": init,
        "seed": seed,
        "inverse_rho": 1 / rho_of(run) if rho_of(run) else None,
        "test_accuracy": None if wrong is None else 100 * (1 - wrong),
        "train_error": error,
        "fits": error is not None and error <= FIT,
    }


def _fitted(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the line through means over runs, by the toolkit's own regression."""
    import pandas as pd

    from boundkit.regression.regressing import regress

    kept = [
        {name: row[name] for name in ("init", "inverse_rho", "test_accuracy")}
        for row in rows
        if row["fits"]
    ]
    if len({row["init"] for row in kept}) < 3:
        return None
    try:
        found = regress(
            pd.DataFrame(kept), "inverse_rho", "test_accuracy", by="init", resamples=200
        )
    except DataError:
        return None
    if found.fit.line is None or found.fit.ranks is None:
        return None
    line = found.fit.line
    return {
        "points": [
            [point.x, point.y, point.x_sd, point.y_sd] for point in found.fit.points
        ],
        "slope": line.slope.estimate,
        "intercept": line.intercept.estimate,
        "p": line.slope.p,
        "r2": line.r2,
        "p_permutation": found.fit.ranks.permutation_p,
    }


def _words(fit: Mapping[str, Any]) -> str:
    return (
        f"R2 = {fit['r2']:.2g}, p = {fit['p']:.2g} (by permutation"
        f" {fit['p_permutation']:.2g}), slope = {fit['slope']:.3g} points of accuracy per"
        f" unit of 1/rho, {len(fit['points'])} scales"
    )


def _missing(claim: str, rows: Sequence[Mapping[str, Any]]) -> Claimed:
    fitting = sum(bool(row["fits"]) for row in rows)
    return Claimed(
        claim,
        f"{fitting} of {len(rows)} runs fit their labels",
        None,
        "three scales with fitting runs are needed for a line",
    )


def _related(
    fit: Mapping[str, Any] | None, rows: Sequence[Mapping[str, Any]]
) -> Claimed:
    claim = (
        "with weight decay 1/rho and mean test accuracy are related, negatively: small"
        f" differences in margin go the other way ({_PRINTED[0.001]})"
    )
    if fit is None:
        return _missing(claim, rows)
    if not fit["p"] < _LEVEL:
        reason = f"with {len(fit['points'])} points the slope is not told from zero"
        return Claimed(claim, _words(fit), None, reason)
    reason = "" if fit["slope"] < 0 else "the slope is positive"
    return Claimed(claim, _words(fit), fit["slope"] < 0, reason)


def _unrelated(
    fit: Mapping[str, Any] | None, rows: Sequence[Mapping[str, Any]]
) -> Claimed:
    claim = (
        "without weight decay there is no linear relation of 1/rho and mean test accuracy"
        f" ({_PRINTED[0.0]})"
    )
    if fit is None:
        return _missing(claim, rows)
    if fit["p"] < _LEVEL:
        return Claimed(
            claim, _words(fit), False, "the slope is told from zero at 5 percent"
        )
    if fit["r2"] > _NONE:
        reason = "the slope is not told from zero, but these points do not exclude one"
        return Claimed(claim, _words(fit), None, reason)
    return Claimed(claim, _words(fit), True)


def _draw(outcome: Outcome) -> Figure:
    figure, axes = sheet(
        9,
        3.8,
        "1/rho and test accuracy; dots: runs, squares: scales of initialization",
        "P1, figure 5",
        1,
        2,
    )
    for axis, (name, series) in zip(axes, outcome.series.items(), strict=True):
        fit = series["line"]
        kept = [row for row in series["rows"] if row["fits"]]
        axis.plot(
            [row["inverse_rho"] for row in kept],
            [row["test_accuracy"] for row in kept],
            ".",
            color=GRAY,
            zorder=1,
        )
        if fit:
            _line(axis, fit)
        left = len(series["rows"]) - len(kept)
        axis.set_title(f"{name}; runs that do not fit, left out: {left}")
        axis.set_xlabel("1/rho")
    axes[0].set_ylabel("test accuracy, %")
    return figure


def _line(axis: Any, fit: Mapping[str, Any]) -> None:
    x, y, x_sd, y_sd = zip(*fit["points"], strict=True)
    bars = [[value or 0.0 for value in sd] for sd in (x_sd, y_sd)]
    axis.errorbar(x, y, bars[1], bars[0], fmt="s", color=BLUE, capsize=2)
    ends = [min(x), max(x)]
    axis.plot(
        ends,
        [fit["intercept"] + fit["slope"] * end for end in ends],
        color=BLUE,
        label=f"R2 {fit['r2']:.2g}, p {fit['p']:.2g}, slope {fit['slope']:.3g}",
    )
    axis.legend(fontsize=7, frameon=False)


P1_FIG5 = PaperFigure(
    name="p1-fig5",
    paper="P1",
    title="1/rho against test accuracy over scales of initialization",
    claims=(
        "with weight decay accuracy falls with 1/rho over scales of initialization",
        "without weight decay the two are unrelated",
    ),
    needs="Fashion-MNIST or other images",
    minutes=1.4,
    recipes=every,
    measure=_measure,
    draw=_draw,
)
