"""P2, figures 9 and 11: how far images must be moved to change a decision.

Han, Papyan, Donoho (2022), appendix A; figure 8 of Papyan, Han, Donoho (2020): the norm
of DeepFool's perturbation over that of the image, mean over test images.
"""

from __future__ import annotations

from functools import partial
from itertools import starmap
from typing import TYPE_CHECKING, Any

from boundkit.lab.deepfool import robustness
from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.han2022_courses import NEEDS, panels
from boundkit.lab.figures.han2022_runs import (
    DEPARTURES,
    LOSSES,
    NAMES,
    NETS,
    every,
    first_perfect,
    recipe_of,
    square_only,
)
from boundkit.lab.measuring import sample_of
from boundkit.measure.forward import resolved
from boundkit.plot.sheet import BLUE, GRAY, ORANGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from boundkit.lab.recipe import Loss, Recipe

__all__ = ["P2_ROBUSTNESS"]

#: Test images that are moved, and how many epochs are looked at.
_IMAGES = {"small": 100, "paper": 1000, "test": 5}
_POINTS = {"small": 6, "paper": 12, "test": 2}
#: Of DeepFool, at most.
_STEPS = {"small": 50, "paper": 50, "test": 3}


def _looked_at(
    epochs: Sequence[int], perfect: int | None, points: int
) -> tuple[int, ...]:
    """Return some of the recorded epochs, those that the claims are about among them."""
    kept = {epochs[-1], epochs[0]} | ({perfect} if perfect is not None else set())
    room = max(points - len(kept), 1)
    step = max(len(epochs) // room, 1)
    return tuple(sorted(kept | set(epochs[::step])))


def _course(bench: Bench, net: str, loss: Loss) -> dict[str, Any]:
    """Return mean robustness over some epochs of a run, with its standard error."""
    recipe = recipe_of(bench.scale, net, loss)
    run = bench.runs[recipe]
    perfect = first_perfect(run)
    epochs = _looked_at(run.epochs, perfect, _POINTS[bench.scale])
    found = [_at(bench, recipe, epoch) for epoch in epochs]
    return {
        "epoch": list(epochs),
        "mean": [mean for mean, _, _ in found],
        "standard error": [error for _, error, _ in found],
        "unmoved": [left for _, _, left in found],
        "first": perfect,
    }


def _at(
    bench: Bench, recipe: Recipe, epoch: int
) -> tuple[float | None, float | None, int]:
    import torch

    where = resolved(bench.device)
    x = sample_of(bench, recipe).x_test
    count = _IMAGES[bench.scale]
    # Classes lie one after the other; a stride takes the same number of each.
    images = torch.from_numpy(x[:: max(len(x) // count, 1)][:count]).to(where)
    net = bench.runs[recipe].net(epoch).to(where)
    ratios, known = robustness(net, images, steps=_STEPS[bench.scale])
    moved = ratios[known].double()
    left = int((~known).sum())
    if len(moved) < 2:
        return None, None, left
    return float(moved.mean()), float(moved.std() / len(moved) ** 0.5), left


def _measure_square(bench: Bench) -> Outcome:
    series = {net: {NAMES["square"]: _course(bench, net, "square")} for net in NETS}
    claims = tuple(_grows(net, one[NAMES["square"]]) for net, one in series.items())
    return Outcome(claims, {"main": _table(series)}, series, _notes(bench))


def _notes(bench: Bench) -> tuple[str, ...]:
    how = (
        f"DeepFool on {_IMAGES[bench.scale]} test images, overshoot .02, at most 50"
        " steps, on standardized pixels"
    )
    return *DEPARTURES[bench.scale], how


def _table(series: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    names = ("mean", "standard error", "unmoved")
    return tuple(
        {"net": net, "loss": loss, "epoch": epoch} | {x: lines[x][at] for x in names}
        for net, losses in series.items()
        for loss, lines in losses.items()
        for at, epoch in enumerate(lines["epoch"])
    )


def _grows(net: str, lines: Mapping[str, Any]) -> Claimed:
    claim = f"{net}: training beyond zero error makes the net more robust"
    first = lines["first"]
    if first is None or first == lines["epoch"][-1]:
        reason = "no recorded epoch lies behind the first without a training error"
        measured = f"{lines['mean'][-1]} at the end"
        return Claimed(claim, measured, None, reason)
    at = lines["epoch"].index(first)
    pairs = [(lines["mean"][x], lines["standard error"][x]) for x in (at, -1)]
    label = f"from epoch {first} to {lines['epoch'][-1]}"
    return _compared(claim, label, pairs)


def _compared(
    claim: str, label: str, pairs: Sequence[tuple[float | None, float | None]]
) -> Claimed:
    """Judge whether the second mean is larger, by two standard errors."""
    (low, low_error), (high, high_error) = pairs
    if low is None or high is None or low_error is None or high_error is None:
        return Claimed(claim, label, None, "too few decisions could be changed")
    measured = (
        f"{label}: {low:.3g} (standard error {low_error:.2g}) and {high:.3g}"
        f" ({high_error:.2g})"
    )
    noise = (low_error**2 + high_error**2) ** 0.5
    if abs(high - low) < 2 * noise:
        return Claimed(claim, measured, None, "the difference is within two errors")
    reason = "" if high > low else "it is the other way round here"
    return Claimed(claim, measured, high > low, reason)


def _measure_losses(bench: Bench) -> Outcome:
    series = {
        net: {NAMES[loss]: _course(bench, net, loss) for loss in LOSSES} for net in NETS
    }
    claims = tuple(starmap(_sturdier, series.items()))
    return Outcome(claims, {"main": _table(series)}, series, _notes(bench))


def _sturdier(net: str, losses: Mapping[str, Mapping[str, Any]]) -> Claimed:
    ends = [
        (losses[NAMES[x]]["mean"][-1], losses[NAMES[x]]["standard error"][-1])
        for x in ("cross-entropy", "square")
    ]
    claim = f"{net}: the square loss makes nets more robust than cross-entropy"
    return _compared(claim, "cross-entropy and square loss at the end", ends)


def _panel(axis: Axes, losses: Mapping[str, Mapping[str, Any]]) -> None:
    for (loss, lines), color in zip(losses.items(), (BLUE, ORANGE), strict=False):
        mean = [float("nan") if v is None else v for v in lines["mean"]]
        error = [0.0 if v is None else v for v in lines["standard error"]]
        axis.errorbar(lines["epoch"], mean, error, color=color, label=loss, capsize=2)
        if lines["first"] is not None:
            label = "first epoch without a training error"
            axis.axvline(
                lines["first"], color=color, linestyle=":", linewidth=1, label=label
            )
    axis.axhline(0, color=GRAY, linewidth=0.5)


_drawn = partial(panels, label="|perturbation| / |image|, mean", draw=_panel)

P2_ROBUSTNESS = (
    PaperFigure(
        name="p2-fig9",
        paper="P2",
        title="robustness to perturbations",
        claims=("training beyond zero error makes nets more robust",),
        needs=NEEDS,
        minutes=3.5,
        recipes=square_only,
        measure=_measure_square,
        draw=partial(_drawn, title="Robustness", about="P2, figure 9"),
    ),
    PaperFigure(
        name="p2-fig11",
        paper="P2",
        title="robustness with the square loss and with cross-entropy",
        claims=("nets trained with the square loss tend to be more robust",),
        needs=NEEDS,
        minutes=6.8,
        recipes=every,
        measure=_measure_losses,
        draw=partial(
            _drawn, title="Robustness and the loss trained with", about="P2, figure 11"
        ),
    ),
)
