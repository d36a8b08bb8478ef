"""P3, figures 1 and 2: neural collapse with and without weight decay.

Rangamani, Banburski-Fahey (2022), section 3.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.beyond_noise import below_in_pairs, center, logs, shown
from boundkit.lab.figures.log_labels import log_labels
from boundkit.lab.figures.rangamani2022_runs import DECAYS, DEPARTURES, SEEDS, recipe_of
from boundkit.lab.figures.stand_in import data_note, in_place
from boundkit.lab.measuring import collapse_of
from boundkit.plot.sheet import BLUE, GREEN, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from boundkit.lab.recipe import Recipe
    from boundkit.lab.runs import Run
    from boundkit.measure.collapse import Collapse

    #: Name -> values over the recorded epochs.
    Course = Mapping[str, Sequence[float | None]]

__all__ = ["P3_COLLAPSE"]

_NC1, _VARIANCE = "NC1: tr(Sigma_W Sigma_B^-1)", "NC2: variance of norms of means"
_ANGLE, _DUAL = "NC2: |cosine + 1/(C - 1)| of means", "NC3: || W/||W|| - M/||M|| ||"
_RELATIVE = "NC2: deviation of norms of means / mean"
_PAIRED = (
    "runs with and without weight decay start from equal weights and see equal batches:"
    " logarithms of their ends are compared in pairs"
)
_SCALED = (
    "the variance of the norms of the class means is not free of their scale, which weight"
    " decay itself makes smaller; their deviation over their mean is given beside"
)
#: "Near zero" is a loss below this; outputs of zero have a loss of 1.
_SMALL = 0.05
#: With the paper's own colors in mind: the line without weight decay is green.
_COLORS = (BLUE, ORANGE, GREEN)
#: Of the runs of a case.
_STYLES = ("-", "--", ":")


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return tuple(
        recipe_of(scale, decay, seed)
        for seed in range(SEEDS[scale])
        for decay in DECAYS
    )


def _measure(bench: Bench, *, data: str) -> Outcome:
    runs = {
        decay: [
            bench.runs[recipe_of(bench.scale, decay, seed)]
            for seed in range(SEEDS[bench.scale])
        ]
        for decay in DECAYS
    }
    found = {
        decay: [_course(bench, run.recipe) for run in some]
        for decay, some in runs.items()
    }
    ends = {
        decay: {name: [one[name][-1] for one in some] for name in some[0]}
        for decay, some in found.items()
    }
    names = (_NC1, _VARIANCE, _RELATIVE, _ANGLE, _DUAL)
    fit = _fitted(runs)
    return Outcome(
        claims=tuple(
            replace(claim, measured=in_place(bench.images, (data,)) + claim.measured)
            for claim in (fit, *(_lower(name, ends, fit.holds) for name in names))
        ),
        tables={"main": tuple(_rows(runs, ends))},
        series={
            f"weight decay {decay:g}": [
                {"epoch": list(run.epochs), **lines}
                for run, lines in zip(runs[decay], some, strict=True)
            ]
            for decay, some in found.items()
        },
        notes=(
            *DEPARTURES[bench.scale],
            data_note(bench.images, (data,)),
            _PAIRED,
            _SCALED,
        ),
    )


def _course(bench: Bench, recipe: Recipe) -> Course:
    found = [collapse_of(bench, recipe, epoch) for epoch in bench.runs[recipe].epochs]
    named = {
        _NC1: "nc1_pinv",
        _RELATIVE: "nc2_equinorm_means",
        _ANGLE: "nc2_max_angle_means",
        _DUAL: "nc3_frobenius",
    }
    lines: dict[str, Sequence[float | None]] = {
        label: [one[name] for one in found] for label, name in named.items()
    }
    return lines | {_VARIANCE: [_variance(one) for one in found]}


def _variance(of: Collapse) -> float | None:
    norms = of["per_class.mean_norm"]
    return None if norms is None else float(norms.var())


def _rows(
    runs: Mapping[float, Sequence[Run]],
    ends: Mapping[float, Mapping[str, Sequence[float | None]]],
) -> list[dict[str, Any]]:
    return [
        {
            "weight_decay": decay,
            "seed": seed,
            "loss": run.last["loss"],
            "train_error": run.last["train_error"],
            "test_error": run.last["test_error"],
            **{name: values[seed] for name, values in ends[decay].items()},
        }
        for decay, some in runs.items()
        for seed, run in enumerate(some)
    ]


def _fitted(runs: Mapping[float, Sequence[Run]]) -> Claimed:
    claim = (
        "with and without weight decay the nets reach 100 % training accuracy and a square"
        " loss near zero"
    )
    losses = {decay: [run.last["loss"] for run in some] for decay, some in runs.items()}
    errors = {
        decay: [run.last["train_error"] for run in some] for decay, some in runs.items()
    }
    measured = "; ".join(
        f"weight decay {decay:g}: loss {shown(center(losses[decay]))}, training error"
        f" {shown(center(errors[decay]))}"
        for decay in runs
    )
    every = [value for values in losses.values() for value in values]
    wrong = [value for values in errors.values() for value in values]
    if None in every or None in wrong:
        return Claimed(claim, measured, None, "a training diverged")
    if max(every) >= _SMALL:
        return Claimed(
            claim, measured, holds=False, reason=f"a loss is above {_SMALL:g}"
        )
    if max(wrong) > 0:
        reason = "losses are near zero, but some training samples are on the wrong side"
        return Claimed(claim, measured, holds=False, reason=reason)
    return Claimed(claim, measured, holds=True)


def _lower(
    name: str,
    ends: Mapping[float, Mapping[str, Sequence[float | None]]],
    fitted: bool | None,
) -> Claimed:
    """Judge whether both weight decays end below no weight decay.

    Args:
        name: Of the measure.
        ends: Decay -> name -> values at the end, one a seed.
        fitted: Whether all nets fit their samples, as the paper's do.
    """
    without = ends[0.0][name]
    verdicts = [
        below_in_pairs(logs(ends[decay][name]), logs(without))
        for decay in DECAYS
        if decay > 0
    ]
    measured = "at the end, averaged over runs: " + ", ".join(
        f"{shown(center(ends[decay][name]))} (weight decay {decay:g})" for decay in ends
    )
    claim = f"{name} ends lower with weight decay than without"
    holds = [each for each, _ in verdicts]
    if all(holds):
        return Claimed(claim, measured, holds=True)
    failed = False in holds
    reasons = [
        f"weight decay {decay:g}: {reason}"
        for decay, (_, reason) in zip(DECAYS, verdicts, strict=False)
        if reason
    ]
    if failed and not fitted:
        reasons.append("but not all nets fit their samples, as the paper's do")
    verdict = False if failed and fitted else None
    return Claimed(claim, measured, verdict, "; ".join(reasons))


def _draw(outcome: Outcome, *, number: int) -> Figure:
    figure, axes = sheet(
        9,
        5.8,
        "Collapse with and without weight decay, each run a line",
        f"P3, figure {number}",
        2,
        2,
    )
    for axis, name in zip(axes, (_NC1, _VARIANCE, _ANGLE, _DUAL), strict=True):
        for color, (label, some) in zip(_COLORS, outcome.series.items(), strict=True):
            for at, (lines, style) in enumerate(zip(some, _STYLES, strict=False)):
                told = label if at == 0 else None
                axis.plot(lines["epoch"], lines[name], style, color=color, label=told)
        axis.set_title(name, fontsize=9)
        axis.set_xscale("symlog")
        log_labels(axis)
    for axis in axes[2:]:
        axis.set_xlabel("epoch")
    axes[0].legend(fontsize=7, frameon=False)
    return figure


P3_COLLAPSE = tuple(
    PaperFigure(
        name=f"p3-fig{number}",
        paper="P3",
        title=f"neural collapse with and without weight decay, {data}",
        claims=("neural collapse emerges with weight decay, and not without",),
        needs=f"{data}, or other images of ten classes in its place",
        minutes=4.5,
        recipes=_recipes,
        measure=partial(_measure, data=data),
        draw=partial(_draw, number=number),
    )
    for number, data in ((1, "CIFAR-10"), (2, "MNIST"))
)
