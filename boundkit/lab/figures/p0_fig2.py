"""P0, figure 2: the product norm rho, training loss and test error over the epochs.

Poggio, Liao (2021), section 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.beyond_noise import below, center, logs, shown
from boundkit.lab.figures.poggio2021_runs import DECAYS, SEEDS, departures, recipe_of
from boundkit.plot.sheet import BLUE, GREEN, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from boundkit.lab.recipe import Recipe
    from boundkit.lab.runs import Run

    #: (init, decay) -> runs, one a seed.
    Cases = Mapping[tuple[float, float], Sequence[Run]]

__all__ = ["P0_FIG2"]

_SMALL, _LARGE = 0.01, 5.0
_DECAYING, _FREE = DECAYS
_SEVERAL = (
    "the paper shows one run of each case; here the first of them is drawn, and claims are"
    " judged by all"
)


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return tuple(
        recipe_of(scale, init, decay, seed)
        for decay in DECAYS
        for init in (_SMALL, _LARGE)
        for seed in range(SEEDS[scale])
    )


def _measure(bench: Bench) -> Outcome:
    cases = {
        (init, decay): [
            bench.runs[recipe_of(bench.scale, init, decay, seed)]
            for seed in range(SEEDS[bench.scale])
        ]
        for decay in DECAYS
        for init in (_SMALL, _LARGE)
    }
    return Outcome(
        claims=(
            _steady(cases[_SMALL, _FREE], up=True),
            _steady(cases[_LARGE, _FREE], up=False),
            _deeper(cases),
            _robust(cases, "rho", "rho"),
            _robust(cases, "loss", "training loss"),
        ),
        tables={"main": _table(cases)},
        series={
            f"init {init:g}, weight decay {decay:g}": {
                "epoch": list(runs[0].epochs),
                "rho": runs[0].column("rho"),
                "loss": runs[0].column("loss"),
                "test error": runs[0].column("test_error"),
            }
            for (init, decay), runs in cases.items()
        },
        notes=(*departures(bench), _SEVERAL),
    )


def _table(cases: Cases) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "init": init,
            "weight_decay": decay,
            "seed": seed,
            "rho_start": run.rows[0]["rho"],
            "rho_end": run.last["rho"],
            "loss": run.last["loss"],
            "train_error": run.last["train_error"],
            "test_error": run.last["test_error"],
        }
        for (init, decay), runs in cases.items()
        for seed, run in enumerate(runs)
    )


def _steady(runs: Sequence[Run], *, up: bool) -> Claimed:
    """Judge whether rho only grows, or only falls, between recorded epochs."""
    word, size = ("grows", "small") if up else ("decays", "large")
    claim = (
        f"without weight decay, from a {size} initialization, rho {word} monotonically"
    )
    steps = [_steps(run) for run in runs]
    told = [step for step in steps if len(step)]
    ends = ", ".join(
        f"{shown(run.rows[0]['rho'])} -> {shown(run.last['rho'])}" for run in runs
    )
    if not told:
        return Claimed(claim, f"rho {ends}", None, "rho is not finite")
    sign = 1 if up else -1
    against = float(max((-sign * step).max() for step in told))
    # log10 of rho goes against the claim by this much between two recorded epochs.
    holds = against <= 0
    reason = ""
    if not holds:
        reason = (
            "between two recorded epochs it goes the other way by a factor of up to"
            f" {10**against:.3g}"
        )
    return Claimed(claim, f"rho {ends}", holds, reason)


def _steps(run: Run) -> np.ndarray[Any, np.dtype[np.float64]]:
    known = [value for value in run.column("log10_rho") if value is not None]
    return np.diff(np.array(known, np.float64))


def _deeper(cases: Cases) -> Claimed:
    claim = (
        "without weight decay, a small initialization reaches a smaller training loss than"
        " a large one"
    )
    losses = [
        [run.last["loss"] for run in cases[init, _FREE]] for init in (_SMALL, _LARGE)
    ]
    measured = (
        f"mean final loss {shown(center(losses[0]))} (small),"
        f" {shown(center(losses[1]))} (large), {len(losses[0])} runs each"
    )
    # Losses differ by orders of magnitude, so their logarithms are compared.
    return Claimed(claim, measured, *below(logs(losses[0]), logs(losses[1])))


def _robust(cases: Cases, column: str, name: str) -> Claimed:
    ratios = {decay: _ratios(cases, column, decay) for decay in DECAYS}
    measured = (
        f"{name} at the end, larger over smaller of the two initializations, geometric"
        f" mean over runs: {_factor(ratios[_DECAYING])} with weight decay,"
        f" {_factor(ratios[_FREE])} without"
    )
    return Claimed(
        f"weight decay makes the final {name} robust to the scale of initialization",
        measured,
        *below(ratios[_DECAYING], ratios[_FREE]),
    )


def _ratios(cases: Cases, column: str, decay: float) -> list[float | None]:
    """Return log10 of the ratio between large and small initialization, one a seed."""
    small, large = (
        logs([run.last[column] for run in cases[init, decay]])
        for init in (_SMALL, _LARGE)
    )
    return [
        None if one is None or other is None else abs(one - other)
        for one, other in zip(small, large, strict=True)
    ]


def _factor(values: Sequence[float | None]) -> str:
    mean = center(values)
    return shown(None if mean is None else 10**mean)


def _draw(outcome: Outcome) -> Figure:
    figure, axes = sheet(
        9, 5.6, "rho, training loss and test error over epochs", "P0, figure 2", 2, 2
    )
    for axis, (name, lines) in zip(axes, outcome.series.items(), strict=True):
        axis.plot(lines["epoch"], lines["rho"], color=BLUE)
        axis.set_xscale("symlog")
        axis.set_yscale("log")
        axis.set_ylabel("rho, product of norms", color=BLUE)
        axis.set_title(name, fontsize=9)
        other = axis.twinx()
        other.plot(lines["epoch"], lines["loss"], color=ORANGE, label="training loss")
        other.plot(lines["epoch"], lines["test error"], color=GREEN, label="test error")
        other.tick_params(labelsize=8)
        # The large losses of the first epochs would hide the errors.
        other.set_ylim(0, 2.2)
        other.set_ylabel("loss (cut at 2.2), error", fontsize=9)
    figure.axes[4].legend(fontsize=7, frameon=False, loc="center right")
    for axis in axes[2:]:
        axis.set_xlabel("epoch")
    return figure


P0_FIG2 = PaperFigure(
    name="p0-fig2",
    paper="P0",
    title="rho, training loss and test error with BatchNorm",
    claims=(
        "without weight decay rho grows from a small start and decays from a large one",
        "weight decay makes final rho and loss robust to the initialization",
    ),
    needs="Fashion-MNIST or other images; paper: CIFAR-10",
    minutes=2.2,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
