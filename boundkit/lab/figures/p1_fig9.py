"""P1, figure 9: neural collapse of two classes; and the same of random labels.

Xu, Rangamani, Liao, Galanti, Poggio (2023): figure 9; the remarks at the end of sections 5
and 7 predict collapse for random labels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_binary import binary
from boundkit.lab.figures.xu2023_few import DEPARTURES, small_three
from boundkit.lab.measuring import collapse_of
from boundkit.lab.recipe import Recipe, milestones
from boundkit.plot.sheet import COLORS, GRAY, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

__all__ = ["P1_TWO_CLASSES"]

#: Shares of labels that are drawn anew.
_TRUE, _RANDOM = 0.0, 1.0
_SEEDS = {"small": 3, "paper": 1, "test": 1}
_EPOCHS = {_TRUE: 400, _RANDOM: 800}
_PAPER_EPOCHS = 750
_POINTS = 14
_DECAY = 5e-4
#: Nothing is left to fall.
_COLLAPSED = 1e-4
#: Panel -> label -> name in the toolkit's catalog.
_PANELS = {
    "NC1": {"tr(Sigma_W Sigma_B^+)": "nc1_pinv"},
    "NC2": {
        "classifiers' norms, std / mean": "nc2_equinorm_weights",
        "classifiers' cosine + 1": "nc2_max_angle_weights",
    },
    "NC3": {"|| W/||W|| - M/||M|| ||": "nc3_frobenius"},
}
_CLAIMS = {
    "nc1_pinv": "NC1: variability within classes collapses",
    "nc2_equinorm_weights": "NC2: classifiers approach equal norms",
    "nc2_max_angle_weights": "NC2: classifiers approach opposite directions",
    "nc3_frobenius": "NC3: classifiers approach the class means up to scale",
}
_CENTERED = (
    "the centered means of two classes are opposite by definition, so their norms and"
    " their angle say nothing; those of the classifiers are judged"
)
_AFTER = (
    "judged from the first recorded epoch without a training error to the last, in every"
    " run that has one; a collapse is a fall by half or more, or to less than 1e-4"
)
_OWN = {
    _TRUE: (
        "two outputs, weight normalization with frozen g, as in the paper; learning rate"
        " 0.03 instead of 0.067, from which this net does not start, a tenth after a third"
        " and again after two thirds of the epochs; three runs instead of one"
    ),
    _RANDOM: (
        "the paper predicts this and shows no figure of its own; two outputs, weight"
        " normalization with frozen g, 800 epochs, cosine from 0.03; of the labels that are"
        " drawn anew half stay what they were by chance"
    ),
}


def _recipe(noise: float, scale: str, seed: int) -> Recipe:
    if scale == "paper":
        return replace(
            binary(scale, decay=_DECAY, noise=noise, seed=seed),
            coding="centered",
            parametrization="weight",
            rate=0.067,
            schedule="step",
            epochs=_PAPER_EPOCHS,
            record=milestones(_PAPER_EPOCHS, _POINTS),
        )
    return small_three(
        scale,
        "collapse" if noise == _TRUE else "random",
        decay=_DECAY,
        noise=noise,
        seed=seed,
        record=milestones(_EPOCHS[noise], _POINTS),
        coding="centered",
        parametrization="weight",
        schedule="step" if noise == _TRUE else "cosine",
    )


def _recipes(noise: float, scale: str) -> tuple[Recipe, ...]:
    return tuple(_recipe(noise, scale, seed) for seed in range(_SEEDS[scale]))


def _measure(noise: float, bench: Bench) -> Outcome:
    lines = [_course(bench, recipe) for recipe in _recipes(noise, bench.scale)]
    return Outcome(
        claims=tuple(_collapses(claim, name, lines) for name, claim in _CLAIMS.items()),
        tables={
            "main": tuple(
                row for seed, one in enumerate(lines) for row in _rows(seed, one)
            )
        },
        series={"runs": lines},
        notes=(*_departures(bench.scale, noise), _CENTERED, _AFTER),
    )


def _departures(scale: str, noise: float) -> tuple[str, ...]:
    if scale != "small":
        return DEPARTURES[scale]
    first, _one_output, *others = DEPARTURES[scale]
    return (first, *others, _OWN[noise])


def _course(bench: Bench, recipe: Recipe) -> dict[str, list[Any]]:
    """Return errors and measures of collapse over a run's recorded epochs."""
    run = bench.runs[recipe]
    kept = [
        (row["epoch"], row["train_error"])
        for row in run.rows
        if row["train_error"] is not None
    ]
    found = [collapse_of(bench, recipe, epoch, targets="centered") for epoch, _ in kept]
    lines: dict[str, list[Any]] = {
        "epoch": [epoch for epoch, _ in kept],
        "train_error": [error for _, error in kept],
    }
    return lines | {name: [one[name] for one in found] for name in _CLAIMS}


def _rows(seed: int, lines: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    names = tuple(lines)
    return [
        {"seed": seed, **dict(zip(names, values, strict=True))}
        for values in zip(*lines.values(), strict=True)
    ]


def _ends(name: str, lines: Mapping[str, list[Any]]) -> tuple[float, float] | None:
    """Return a measure when the labels were first fitted, and at the end."""
    fitted = [at for at, error in enumerate(lines["train_error"]) if error == 0]
    if not fitted or fitted[0] == len(lines["epoch"]) - 1:
        return None
    start, end = lines[name][fitted[0]], lines[name][-1]
    return None if start is None or end is None else (start, end)


def _collapses(
    claim: str, name: str, runs: Sequence[Mapping[str, list[Any]]]
) -> Claimed:
    found = [pair for pair in (_ends(name, lines) for lines in runs) if pair]
    if not found:
        least = min(min(lines["train_error"], default=1.0) for lines in runs)
        return Claimed(
            claim,
            f"least training error of {len(runs)} runs {100 * least:.1f} %",
            None,
            "no run has epochs after its labels were fitted",
        )
    measured = "; ".join(f"{start:.3g} -> {end:.3g}" for start, end in found)
    measured += f" in {len(found)} of {len(runs)} runs that fit"
    falling = sum(end < start for start, end in found)
    halved = sum(end <= start / 2 or end < _COLLAPSED for start, end in found)
    if halved == len(found):
        return Claimed(claim, measured, True)
    if falling + halved == 0:
        return Claimed(claim, measured, False, "it does not fall")
    if halved == 0:
        reason = "after the labels are fitted it falls by less than half in every run"
        return Claimed(claim, measured, False, reason)
    reason = f"it falls by half or more in {halved} of {len(found)} runs only"
    return Claimed(claim, measured, None, reason)


def _draw(about: str, outcome: Outcome) -> Figure:
    figure, axes = sheet(
        11, 3.6, "Neural collapse of two classes", f"P1, {about}", 1, len(_PANELS)
    )
    for axis, (panel, names) in zip(axes, _PANELS.items(), strict=True):
        for (label, name), color in zip(names.items(), COLORS, strict=False):
            for at, lines in enumerate(outcome.series["runs"]):
                axis.plot(
                    lines["epoch"],
                    [np.nan if value is None else value for value in lines[name]],
                    color=color,
                    linewidth=1,
                    label=None if at else label,
                )
        for lines in outcome.series["runs"]:
            first = _first(lines)
            if first is not None:
                axis.axvline(first, color=GRAY, linestyle=":", linewidth=0.8)
        axis.set_xscale("symlog")
        axis.set_xlim(left=0)
        axis.set_yscale("log")
        axis.set_title(panel)
        axis.set_xlabel("epoch (dotted: labels fitted)")
        axis.legend(fontsize=7, frameon=False)
    axes[0].set_ylabel("one line a run")
    return figure


def _first(lines: Mapping[str, list[Any]]) -> int | None:
    for epoch, error in zip(lines["epoch"], lines["train_error"], strict=True):
        if error == 0:
            return int(epoch)
    return None


def _figure(name: str, noise: float, title: str, claim: str) -> PaperFigure:
    return PaperFigure(
        name=name,
        paper="P1",
        title=title,
        claims=(claim,),
        needs="Fashion-MNIST or other images",
        minutes=0.5 if noise == _TRUE else 0.8,
        recipes=partial(_recipes, noise),
        measure=partial(_measure, noise),
        draw=partial(_draw, "figure 9" if noise == _TRUE else "random labels"),
    )


P1_TWO_CLASSES = (
    _figure(
        "p1-fig9",
        _TRUE,
        "neural collapse of two classes, NC1 to NC3",
        "neural collapse occurs with square loss, normalization and weight decay",
    ),
    _figure(
        "p1-random-labels",
        _RANDOM,
        "neural collapse of two classes with random labels",
        "neural collapse takes place with fully random labels, too",
    ),
)
