"""P1, figure 4: 1/rho and test error against the share of random labels.

Xu, Rangamani, Liao, Galanti, Poggio (2023), section 4.2.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_few import (
    DEPARTURES,
    FIT,
    mean_and_error,
    normalized_margins,
    rho_of,
    three,
)
from boundkit.lab.measuring import margins_of
from boundkit.plot.sheet import BLUE, GREEN, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from boundkit.lab.recipe import Recipe
    from boundkit.lab.runs import Run

__all__ = ["P1_FIG4"]

_SHARES = (0.2, 0.4, 0.6, 0.8)
_SEEDS = {"small": 3, "paper": 10, "test": 2}
_MANY = {
    "small": "three runs a share instead of ten",
    "paper": "of the labels that are drawn anew, half stay what they were by chance",
    "test": "two runs a share",
}
_SIGNS = (
    "labels count as fitted where the signs of outputs are right; the training loss, in the"
    " table, says how far from 1 margins y f still are, and so rho from what they need"
)


def _recipe(scale: str, share: float, seed: int) -> Recipe:
    return three(scale, "labels", noise=share, seed=seed)


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return tuple(
        _recipe(scale, share, seed)
        for seed in range(_SEEDS[scale])
        for share in _SHARES
    )


def _measure(bench: Bench) -> Outcome:
    rows = tuple(_row(bench, share) for share in _SHARES)
    return Outcome(
        claims=(
            _trend(rows, "rho", "rho that is needed to fit them grows", 1),
            _trend(rows, "margin", "margin, the mean of y f / rho, falls", -1),
            _trend(rows, "test_error", "test error grows", 1),
        ),
        tables={"main": rows},
        series={name: [row[name] for row in rows] for name in rows[0]},
        notes=(*DEPARTURES[bench.scale], _MANY[bench.scale], _SIGNS),
    )


def _row(bench: Bench, share: float) -> dict[str, Any]:
    recipes = [_recipe(bench.scale, share, seed) for seed in range(_SEEDS[bench.scale])]
    runs = [bench.runs[recipe] for recipe in recipes]
    kept = [recipe for recipe in recipes if _fits(bench.runs[recipe])]
    fitting = [bench.runs[recipe] for recipe in kept]
    row: dict[str, Any] = {"noise": share, "runs": len(runs), "fitting": len(fitting)}
    for name, values in (
        ("rho", [rho_of(run) for run in fitting]),
        ("inverse_rho", [1 / rho_of(run) for run in fitting]),
        ("margin", [_margin(bench, recipe) for recipe in kept]),
        ("test_error", [run.last["test_error"] for run in fitting]),
        ("loss", [run.last["loss"] for run in fitting]),
    ):
        row[name], row[f"{name}_stderr"] = mean_and_error(values)
    return row


def _fits(run: Run) -> bool:
    error = run.last["train_error"]
    return error is not None and error <= FIT


def _margin(bench: Bench, recipe: Recipe) -> float:
    return normalized_margins(bench, recipe, margins_of(bench, recipe))["mean"]


def _trend(
    rows: Sequence[Mapping[str, Any]], name: str, what: str, sign: int
) -> Claimed:
    claim = f"with a larger share of random labels the {what}"
    known = [row for row in rows if row["fitting"] >= 2]
    counts = ", ".join(f"{row['fitting']} of {row['runs']}" for row in rows)
    if len(known) < 2:
        return Claimed(
            claim,
            f"runs that fit their labels: {counts}",
            None,
            "two shares with two fitting runs each are needed",
        )
    measured = f"mean {name.replace('_', ' ')} " + ", ".join(
        f"{row[name]:.3g} +- {row[f'{name}_stderr']:.1g} ({100 * row['noise']:.0f} %)"
        for row in known
    )
    return Claimed(
        claim, f"{measured}; fitting: {counts}", *_verdict(known, name, sign)
    )


def _verdict(
    rows: Sequence[Mapping[str, Any]], name: str, sign: int
) -> tuple[bool | None, str]:
    """Return whether a mean goes one way, beyond two standard errors, and why not."""
    steps = [
        (sign * (after[name] - before[name]), _error(before, after, name))
        for before, after in pairwise(rows)
    ]
    whole = rows[-1][name] - rows[0][name]
    error = _error(rows[0], rows[-1], name)
    if abs(whole) <= 2 * error:
        reason = f"from least to largest share it changes by {whole:.2g} +- {error:.1g}"
        return None, reason
    if sign * whole < 0:
        return False, "it is the other way"
    if any(step < -2 * noise for step, noise in steps):
        return False, "not at every step"
    if len(rows) < len(_SHARES):
        return None, "not all shares have fitting runs"
    back = sum(step < 0 for step, _ in steps)
    return (
        True,
        f"{back} of {len(steps)} steps go back, within noise" if back else "",
    )


def _error(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> float:
    return math.hypot(one[f"{name}_stderr"], other[f"{name}_stderr"])


def _draw(outcome: Outcome) -> Figure:
    figure, axes = sheet(
        11, 3.4, "Random labels: 1/rho, margin and test error", "P1, figure 4", 1, 3
    )
    lines = outcome.series
    shares = [100 * share for share in lines["noise"]]
    for axis, name, color, label in (
        (axes[0], "inverse_rho", BLUE, "1/rho"),
        (axes[1], "margin", GREEN, "mean of y f / rho"),
        (axes[2], "test_error", ORANGE, "test error"),
    ):
        shown = [
            (share, value, error or 0.0)
            for share, value, error in zip(
                shares, lines[name], lines[f"{name}_stderr"], strict=True
            )
            if value is not None and math.isfinite(value)
        ]
        if shown:
            x, y, bars = zip(*shown, strict=True)
            bars = tuple(bar if math.isfinite(bar) else 0.0 for bar in bars)
            axis.errorbar(x, y, bars, color=color, marker="s", capsize=3)
        axis.set_xlabel("random labels, %; mean, standard error")
        axis.set_ylabel(label)
        axis.set_xlim(10, 90)
        axis.set_ylim(bottom=0)
    return figure


P1_FIG4 = PaperFigure(
    name="p1-fig4",
    paper="P1",
    title="1/rho and test error against label noise",
    claims=("random labels raise the rho that interpolates, and the test error",),
    needs="Fashion-MNIST or other images",
    minutes=1.2,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
