"""P0, figure 5: neural collapse of two classes with BatchNorm.

Poggio, Liao (2021), section 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.beyond_noise import shown
from boundkit.lab.figures.han2022_runs import first_perfect
from boundkit.lab.figures.log_labels import log_labels
from boundkit.lab.figures.poggio2021_runs import DECAYS, departures, recipe_of
from boundkit.lab.measuring import collapse_of
from boundkit.plot.sheet import BLUE, GREEN, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from boundkit.lab.recipe import Recipe

__all__ = ["P0_FIG5"]

_INIT = 3.0
_NC1 = "NC1"
#: A smaller relative fall is not called one.
_CLEAR = 0.1
#: What is drawn -> the measure.
_LINES = {
    _NC1: "nc1_pinv",
    "norms of classifiers": "nc2_equinorm_weights",
    "norms of means": "nc2_equinorm_means",
    "angle of classifiers": "nc2_max_angle_weights",
    "angle of means": "nc2_max_angle_means",
    "classifiers to means": "nc3_frobenius",
}
_TRIVIAL = (
    "two class means less their center are opposite and equally long whatever the net does,"
    " and there is one angle, whose deviation over pairs is zero: of the paper's four NC2"
    " lines only the norms of the classifiers say something; the angle is drawn as"
    " |cosine + 1|, and NC3 is drawn beside"
)


def _recipe(scale: str) -> Recipe:
    epochs = {"small": 250, "paper": 350, "test": 2}[scale]
    return recipe_of(scale, _INIT, DECAYS[0], epochs=epochs, schedule="step")


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return (_recipe(scale),)


def _measure(bench: Bench) -> Outcome:
    recipe = _recipe(bench.scale)
    run = bench.runs[recipe]
    found = [collapse_of(bench, recipe, epoch) for epoch in run.epochs]
    lines: dict[str, list[Any]] = {"epoch": list(run.epochs)}
    lines |= {label: [one[name] for one in found] for label, name in _LINES.items()}
    perfect = first_perfect(run)
    rows = tuple(
        {"train_error": error} | {label: values[at] for label, values in lines.items()}
        for at, error in enumerate(run.column("train_error"))
    )
    return Outcome(
        claims=(
            _falls("NC1: tr(Sigma_W Sigma_B^-1) falls", lines, _NC1, perfect),
            _falls(
                "NC2: the norms of the classifiers become equal",
                lines,
                "norms of classifiers",
                perfect,
            ),
            _trivial(lines),
        ),
        tables={"main": rows},
        series=lines,
        notes=(*departures(bench), _TRIVIAL),
    )


def _falls(
    claim: str, lines: Mapping[str, list[Any]], label: str, perfect: int | None
) -> Claimed:
    """Judge whether a measure falls after the training error has vanished."""
    epochs, values = lines["epoch"], lines[label]
    if perfect is None or perfect == epochs[-1]:
        measured = f"{shown(values[0])} -> {shown(values[-1])}"
        reason = "no recorded epoch lies behind the first without a training error"
        return Claimed(claim, measured, None, reason)
    before, end = values[epochs.index(perfect)], values[-1]
    measured = (
        f"{shown(before)} (epoch {perfect}, no training error), {shown(end)} (epoch"
        f" {epochs[-1]})"
    )
    if before is None or end is None:
        return Claimed(claim, measured, None, "the measure is not defined there")
    if end >= before:
        reason = "it does not fall once the training error is zero"
        return Claimed(claim, measured, holds=False, reason=reason)
    if end > (1 - _CLEAR) * before:
        reason = f"it falls by less than {100 * _CLEAR:g} %: this is no collapse"
        return Claimed(claim, measured, None, reason)
    return Claimed(claim, measured, holds=True)


def _trivial(lines: Mapping[str, list[Any]]) -> Claimed:
    norms, angle = lines["norms of means"][-1], lines["angle of means"][-1]
    return Claimed(
        "NC2: the class means become equally long and equiangular",
        f"norms differ by {shown(norms)} of their mean, |cosine + 1| is {shown(angle)}",
        None,
        "two centered means are opposite and equally long for every net",
    )


def _draw(outcome: Outcome) -> Figure:
    lines = outcome.series
    figure, axes = sheet(
        10, 3.4, "Collapse of two classes with BatchNorm", "P0, figure 5", 1, 3
    )
    panels = {
        "NC1: tr(Sigma_W Sigma_B^-1)": {_NC1: BLUE},
        "NC2: classifiers": {
            "norms of classifiers": BLUE,
            "angle of classifiers": ORANGE,
        },
        "NC3: || W/||W|| - M/||M|| ||": {"classifiers to means": GREEN},
    }
    names = {
        "norms of classifiers": "deviation of norms / mean",
        "angle of classifiers": "|cosine + 1|",
    }
    for axis, (title, inside) in zip(axes, panels.items(), strict=True):
        for label, color in inside.items():
            axis.plot(
                lines["epoch"], lines[label], color=color, label=names.get(label, label)
            )
        axis.set_title(title, fontsize=9)
        axis.set_xscale("symlog")
        log_labels(axis)
        axis.set_xlabel("epoch")
    axes[1].legend(fontsize=7, frameon=False)
    return figure


P0_FIG5 = PaperFigure(
    name="p0-fig5",
    paper="P0",
    title="neural collapse of two classes with BatchNorm",
    claims=(
        "variability within classes collapses",
        "means and classifiers become equally long and equiangular",
    ),
    needs="Fashion-MNIST or other images; paper: CIFAR-10",
    minutes=0.2,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
