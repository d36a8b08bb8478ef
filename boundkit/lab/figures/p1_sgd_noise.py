"""P1, section 6.2: the noise of SGD stays with weight decay, and vanishes without.

Xu, Rangamani, Liao, Galanti, Poggio (2023), sections 6.1 and 6.2, (46) and (53).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from boundkit.analysis import analyze
from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_few import DEPARTURES, mean_and_error, three
from boundkit.lab.recipe import milestones
from boundkit.plot.sheet import BLUE, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from boundkit.lab.recipe import Recipe
    from boundkit.lab.runs import Run

__all__ = ["P1_SGD_NOISE"]

_DECAYS = (0.001, 0.0)
_SEEDS = {"small": 3, "paper": 3, "test": 1}
_EPOCHS = {"small": 400, "paper": 1000}
_POINTS = 5
#: Labels are interpolated where the training loss is below this.
_INTERPOLATED = 1e-3
#: "Essentially disappears": below this share of the other's.
_SHARE = 0.1
#: "Does not vanish": the last over the largest of a run, at least.
_STAYS = 0.01

_NOTE = (
    "noise is the root mean square over minibatches of the norm of the update (53) of V,"
    " learning rate left out, all layers together; the schedule lowers the learning rate"
    " to 0, which makes steps vanish, but not this"
)
_HOW_MANY = "three runs a weight decay"


def _recipe(scale: str, decay: float, seed: int) -> Recipe:
    record = milestones(_EPOCHS[scale], _POINTS) if scale in _EPOCHS else ()
    return three(scale, "noise", decay=decay, seed=seed, record=record)


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return tuple(
        _recipe(scale, decay, seed)
        for seed in range(_SEEDS[scale])
        for decay in _DECAYS
    )


def _measure(bench: Bench) -> Outcome:
    courses = {
        decay: [
            _course(bench, _recipe(bench.scale, decay, seed))
            for seed in range(_SEEDS[bench.scale])
        ]
        for decay in _DECAYS
    }
    decaying, free = (courses[decay] for decay in _DECAYS)
    return Outcome(
        claims=(_stays(decaying), _vanishes(free, decaying), _spread(free, decaying)),
        tables={
            "main": tuple(
                {"decay": decay, "seed": seed, **row}
                for decay, runs in courses.items()
                for seed, rows in enumerate(runs)
                for row in rows
            )
        },
        series={
            f"weight decay {decay:g}": [list(rows) for rows in runs]
            for decay, runs in courses.items()
        },
        notes=(*DEPARTURES[bench.scale], _NOTE, _HOW_MANY),
    )


def _course(bench: Bench, recipe: Recipe) -> list[dict[str, Any]]:
    """Return loss and noise over the epochs of a run, the start left out."""
    run = bench.runs[recipe]
    return [
        _row(run, row, bench.device) for row in run.rows[1:] if row["loss"] is not None
    ]


def _row(run: Run, row: Mapping[str, Any], device: str) -> dict[str, Any]:
    report = analyze(
        run.checkpoint(row["epoch"]),
        model=run.net(row["epoch"]),
        data=run.data_spec,
        only=("margins", "noise"),
        loss="square",
        sgd_batch=run.recipe.batch,
        device=device,
    )
    layers = (report.noise or {}).get("layers", {}).values()
    updates = [layer["update_norm"] for layer in layers]
    known = bool(updates) and None not in updates
    margins = report.margins or {}
    mean, variance = margins.get("mean"), margins.get("variance")
    return {
        "epoch": row["epoch"],
        "loss": row["loss"],
        "train_error": row["train_error"],
        "update_norm": math.hypot(*updates) if known else None,
        "relative_deviation": (
            math.sqrt(variance) / mean if mean and variance is not None else None
        ),
    }


def _known(runs: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[float]]:
    """Return the noise of each run over its epochs, of those with one throughout."""
    found = [[row["update_norm"] for row in rows] for rows in runs]
    return [noise for noise in found if noise and None not in noise]


def _stays(runs: Sequence[Sequence[Mapping[str, Any]]]) -> Claimed:
    claim = (
        "with weight decay SGD does not converge to an equilibrium of all minibatches:"
        " there is always noise"
    )
    found = _known(runs)
    if not found:
        return Claimed(claim, "no run to look at", None, "the noise is not defined")
    shares = [noise[-1] / max(noise) for noise in found]
    measured = "at the end the update norm is " + ", ".join(
        f"{noise[-1]:.2g}, {100 * share:.2g} % of its largest"
        for noise, share in zip(found, shares, strict=True)
    )
    holds = min(shares) > _STAYS
    reason = "" if holds else f"it falls below {100 * _STAYS:g} % of its largest"
    return Claimed(claim, measured, holds, reason)


def _vanishes(
    free: Sequence[Sequence[Mapping[str, Any]]],
    decaying: Sequence[Sequence[Mapping[str, Any]]],
) -> Claimed:
    claim = (
        "without weight decay, where all labels are interpolated, the noise of SGD"
        " essentially disappears"
    )
    with_it = [noise[-1] for noise in _known(decaying)]
    ends = [
        (rows[-1]["update_norm"], rows[-1]["loss"])
        for rows in free
        if rows and rows[-1]["update_norm"] is not None
    ]
    if not with_it or not ends:
        return Claimed(claim, "no run to look at", None, "the noise is not defined")
    other = sum(with_it) / len(with_it)
    measured = (
        f"mean update norm at the end with weight decay {other:.2g}; without, "
        + ", ".join(f"{one:.2g} (training loss {loss:.1g})" for one, loss in ends)
    )
    gone = sum(one < _SHARE * other for one, _ in ends)
    if gone == len(ends):
        return Claimed(claim, measured, True)
    if gone:
        reason = (
            f"below {100 * _SHARE:g} % of the noise with weight decay in {gone} of"
            f" {len(ends)} runs only"
        )
        return Claimed(claim, measured, None, reason)
    if max(loss for _, loss in ends) > _INTERPOLATED:
        reason = f"the labels are not interpolated yet: a loss above {_INTERPOLATED:g}"
        return Claimed(claim, measured, None, reason)
    return Claimed(claim, measured, False, f"more than {100 * _SHARE:g} % is left")


def _spread(
    free: Sequence[Sequence[Mapping[str, Any]]],
    decaying: Sequence[Sequence[Mapping[str, Any]]],
) -> Claimed:
    claim = "so margins differ from each other with weight decay, and not without"
    parts = [
        [
            rows[-1]["relative_deviation"]
            for rows in runs
            if rows and rows[-1]["relative_deviation"] is not None
        ]
        for runs in (free, decaying)
    ]
    if min(map(len, parts)) < 2:
        measured = f"{len(parts[0])} and {len(parts[1])} runs with margins"
        return Claimed(claim, measured, None, "two runs of each kind are needed")
    (one, one_error), (other, other_error) = map(mean_and_error, parts)
    measured = (
        f"deviation over mean of y f {other:.3g} +- {other_error:.1g} with weight decay,"
        f" {one:.3g} +- {one_error:.1g} without"
    )
    if abs(other - one) <= 2 * math.hypot(one_error, other_error):
        reason = "the difference is within two standard errors"
        return Claimed(claim, measured, None, reason)
    return Claimed(claim, measured, one < other, "" if one < other else "other way")


def _draw(outcome: Outcome) -> Figure:
    figure, axes = sheet(
        9, 3.6, "Noise of SGD with and without weight decay", "P1, section 6.2", 1, 2
    )
    for (name, runs), color in zip(outcome.series.items(), (ORANGE, BLUE), strict=True):
        for at, rows in enumerate(runs):
            for axis, column in zip(axes, ("update_norm", "loss"), strict=True):
                axis.plot(
                    [row["epoch"] for row in rows],
                    [math.nan if row[column] is None else row[column] for row in rows],
                    color=color,
                    marker=".",
                    linewidth=1,
                    label=None if at else name,
                )
    for axis, label in zip(
        axes, ("norm of updates of V, all layers (53)", "training loss"), strict=True
    ):
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel("epoch; a line a run")
        axis.set_ylabel(label)
        axis.legend(fontsize=8, frameon=False)
    return figure


P1_SGD_NOISE = PaperFigure(
    name="p1-sgd-noise",
    paper="P1",
    title="noise of SGD with and without weight decay",
    claims=(
        "with weight decay the noise of SGD does not vanish",
        "without it, at interpolation, it essentially disappears",
    ),
    needs="Fashion-MNIST or other images",
    minutes=1.0,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
