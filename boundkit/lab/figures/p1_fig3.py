"""P1, figure 3: rho, training loss and test error over the epochs.

Xu, Rangamani, Liao, Galanti, Poggio (2023), section 3.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_binary import DEPARTURES, binary, epochs_of
from boundkit.lab.recipe import milestones
from boundkit.plot.sheet import BLUE, GREEN, ORANGE, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundkit.lab.recipe import Recipe
    from boundkit.lab.runs import Run

__all__ = ["P1_FIG3", "recipe_of"]

#: Small and large; those of the paper, and for narrow nets one above the rho that
#: interpolates, which is about 5 for them.
_INITS = {"paper": (0.9, 1.3), "small": (0.9, 1.5), "test": (0.9, 1.5)}
_DECAYS = (0.001, 0.0)
_NOTES = {
    "paper": (),
    "small": ("the large initialization is 1.5 instead of 1.3: rho starts at 11.4",),
    "test": (),
}
#: Recorded epochs of a run.
_POINTS = 16


def recipe_of(scale: str, init: float, decay: float) -> Recipe:
    """Return the training of one panel."""
    epochs = epochs_of(scale)
    return binary(scale, init=init, decay=decay, record=milestones(epochs, _POINTS))


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return tuple(recipe_of(scale, i, d) for d in _DECAYS for i in _INITS[scale])


def _measure(bench: Bench) -> Outcome:
    runs = {
        (init, decay): bench.runs[recipe_of(bench.scale, init, decay)]
        for decay in _DECAYS
        for init in _INITS[bench.scale]
    }
    small, large = _INITS[bench.scale]
    decaying, free = _DECAYS
    lost = [run for run in runs.values() if run.diverged is not None]
    claims = (
        (_untold(lost),)
        if lost
        else (
            _grows(runs[small, free]),
            _shrinks(runs[large, decaying]),
            _robust(runs, small, large),
            _smaller(runs[small, free], runs[large, free]),
        )
    )
    return Outcome(
        claims=claims,
        tables={"main": tuple(_row(*case, run) for case, run in runs.items())},
        series={
            f"init {init:g}, decay {decay:g}": {
                "epoch": list(run.epochs),
                "rho": run.column("rho"),
                "loss": run.column("loss"),
                "test error": run.column("test_error"),
            }
            for (init, decay), run in runs.items()
        },
        notes=(*DEPARTURES[bench.scale], *_NOTES[bench.scale]),
    )


def _untold(lost: list[Run]) -> Claimed:
    return Claimed(
        "rho goes to the same place from small and large initializations",
        f"{len(lost)} of {2 * len(_DECAYS)} trainings diverged",
        None,
        "there is no end to compare; use a smaller learning rate",
    )


def _row(init: float, decay: float, run: Run) -> dict[str, float | None]:
    last = run.last
    return {
        "init": init,
        "weight_decay": decay,
        "rho_start": run.rows[0]["rho"],
        "rho_end": last["rho"],
        "loss": last["loss"],
        "train_error": last["train_error"],
        "test_error": last["test_error"],
    }


def _grows(run: Run) -> Claimed:
    start, end = run.rows[0]["rho"], run.last["rho"]
    return Claimed(
        "from a small initialization rho grows, not always steadily, even without weight"
        " decay",
        f"rho {start:.3g} -> {end:.3g}, training loss {run.last['loss']:.2g}",
        end > start,
        "" if end > start else "rho did not grow",
    )


def _shrinks(run: Run) -> Claimed:
    start, end = run.rows[0]["rho"], run.last["rho"]
    # A net that died has no margins to be at rest with.
    rest = run.column("margins.rho_eq")[-1]
    shown = "undefined" if rest is None else f"{rest:.3g}"
    return Claimed(
        "from a large initialization with weight decay rho decreases to an equilibrium",
        f"rho {start:.3g} -> {end:.3g}; the equilibrium of its last margins, equation"
        f" (7), is {shown}",
        end < start,
        "" if end < start else "rho grew: the initialization was not large enough",
    )


def _robust(
    runs: dict[tuple[float, float], Run], small: float, large: float
) -> Claimed:
    ratios = {}
    for decay in _DECAYS:
        ends = [runs[init, decay].last["rho"] for init in (small, large)]
        ratios[decay] = max(ends) / min(ends)
    decaying, free = (ratios[decay] for decay in _DECAYS)
    return Claimed(
        "weight decay makes the final rho depend less on the initialization",
        f"largest over smallest final rho: {decaying:.3g} with weight decay,"
        f" {free:.3g} without",
        decaying < free,
    )


def _smaller(small: Run, large: Run) -> Claimed:
    low, high = small.last["rho"], large.last["rho"]
    fitted = small.last["train_error"] == large.last["train_error"] == 0
    return Claimed(
        "without weight decay a small initialization finds a quasi-interpolating solution"
        " of smaller rho, that is of larger margin, than a large one",
        f"final rho {low:.3g} (small) and {high:.3g} (large), training errors"
        f" {small.last['train_error']:.2g} and {large.last['train_error']:.2g}",
        low < high if fitted else None,
        ""
        if fitted
        else f"rho ends {'smaller' if low < high else 'larger'}, but not all samples are"
        " fitted yet",
    )


def _draw(outcome: Outcome) -> Figure:
    figure, axes = sheet(
        9, 5.5, "rho, training loss and test error over epochs", "P1, figure 3", 2, 2
    )
    for axis, (name, lines) in zip(axes, outcome.series.items(), strict=True):
        axis.plot(lines["epoch"], lines["rho"], color=BLUE)
        axis.set_xscale("symlog")
        axis.set_ylabel("rho", color=BLUE)
        axis.set_title(name)
        other = axis.twinx()
        other.plot(lines["epoch"], lines["loss"], color=ORANGE, label="training loss")
        other.plot(lines["epoch"], lines["test error"], color=GREEN, label="test error")
        other.tick_params(labelsize=8)
        other.set_ylim(bottom=0)
    axes[0].figure.axes[4].legend(fontsize=7, frameon=False)
    for axis in axes[2:]:
        axis.set_xlabel("epoch")
    return figure


P1_FIG3 = PaperFigure(
    name="p1-fig3",
    paper="P1",
    title="rho, training loss and test error over epochs",
    claims=(
        "rho grows from a small initialization and shrinks from a large one",
        "weight decay makes the end independent of the initialization",
    ),
    needs="Fashion-MNIST or other images",
    minutes=2.2,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
