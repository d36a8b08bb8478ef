"""P1, figure 8: histograms of the margins y f over the epochs, and rho.

Xu, Rangamani, Liao, Galanti, Poggio (2023), section 5.1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.xu2023_few import DEPARTURES, rho_of, three
from boundkit.lab.measuring import margins_of
from boundkit.lab.recipe import milestones
from boundkit.plot.sheet import BLUE, GRAY, GREEN, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from boundkit.lab.recipe import Recipe

__all__ = ["P1_FIG8"]

_INIT, _DECAY = 0.9, 0.001
_BINS = 40
_EPOCHS = {"small": 400, "paper": 1000}
#: Recorded epochs.
_POINTS = 16
#: Histograms that are drawn, the last one in red.
_DRAWN = 5
_FITS = {
    "small": (
        (
            "100 images, which the net fits: of figure 3's training at this scale, 1,000 images"
            " and 3.8 % errors at the end, margins do not concentrate (deviation over mean 0.40)"
        ),
    )
}
#: "Concentrated": deviation over mean.
_NARROW = 0.1


def _recipe(scale: str) -> Recipe:
    record = milestones(_EPOCHS[scale], _POINTS) if scale in _EPOCHS else ()
    return three(scale, "labels", init=_INIT, decay=_DECAY, record=record)


def _recipes(scale: str) -> tuple[Recipe, ...]:
    return (_recipe(scale),)


def _measure(bench: Bench) -> Outcome:
    recipe = _recipe(bench.scale)
    run = bench.runs[recipe]
    found = [margins_of(bench, recipe, epoch) for epoch in run.epochs]
    rows = tuple(
        _row(epoch, margins, rho_of(run, at))
        for at, (epoch, margins) in enumerate(zip(run.epochs, found, strict=True))
        if np.isfinite(margins).all()
    )
    return Outcome(
        claims=(_narrows(rows), _concentrated(rows), _below_one(rows)),
        tables={"main": rows},
        series={
            "histograms": _histograms(run.epochs, found),
            "epoch": [row["epoch"] for row in rows],
            "rho": [row["rho"] for row in rows],
            "deviation": [row["deviation"] for row in rows],
        },
        notes=(*DEPARTURES[bench.scale], *_FITS.get(bench.scale, ())),
    )


def _row(epoch: int, margins: NDArray[np.float64], rho: float) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "rho": rho,
        "mean": float(margins.mean()),
        "deviation": float(margins.std()),
        "least": float(margins.min()),
        "largest": float(margins.max()),
        "train_error": float((margins <= 0).mean()),
        "share_above_1": float((margins > 1).mean()),
        "samples": len(margins),
    }


def _histograms(
    epochs: Sequence[int], found: Sequence[NDArray[np.float64]]
) -> list[dict[str, Any]]:
    """Return counts over the same bins for a few epochs, the last among them."""
    known = [at for at, margins in enumerate(found) if np.isfinite(margins).all()]
    edges = np.linspace(
        min(found[at].min() for at in known),
        max(found[at].max() for at in known) + 1e-9,
        _BINS + 1,
    )
    first = min(1, len(known) - 1)
    chosen = np.unique(np.linspace(first, len(known) - 1, _DRAWN).round().astype(int))
    places = [known[at] for at in chosen]
    return [
        {
            "epoch": epochs[at],
            "edges": edges.tolist(),
            "counts": np.histogram(found[at], edges)[0].tolist(),
        }
        for at in places
    ]


def _narrows(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = (
        "the histogram of y f narrows as training progresses; the last one is much"
        " narrower than any in between"
    )
    widths = [row["deviation"] for row in rows]
    widest = int(np.argmax(widths))
    measured = (
        f"deviation of y f: {widths[0]:.2g} at the start, where outputs are about 0,"
        f" {widths[widest]:.3g} at its largest (epoch {rows[widest]['epoch']}),"
        f" {widths[-1]:.3g} at the end"
    )
    later = widths[widest:]
    if len(later) < 3:
        return Claimed(
            claim, measured, None, "too few epochs follow the widest histogram"
        )
    if later[-1] > min(later[1:-1]):
        return Claimed(
            claim, measured, False, "an earlier histogram was narrower than the last"
        )
    holds = later[-1] < later[0] / 2
    return Claimed(
        claim, measured, holds, "" if holds else "it narrows by less than half"
    )


def _concentrated(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = "all margins converge to be roughly equal (sigma -> 0, Lemma 6)"
    last = rows[-1]
    if not last["mean"] > 0:
        return Claimed(
            claim, f"mean y f {last['mean']:.3g}", None, "the net has not learned"
        )
    spread = last["deviation"] / last["mean"]
    measured = (
        f"at the end deviation over mean of y f is {spread:.3g}, from {last['least']:.3g}"
        f" to {last['largest']:.3g}; training error {100 * last['train_error']:.1f} %"
    )
    if spread < _NARROW:
        return Claimed(claim, measured, True)
    reason = (
        f"more than {_NARROW:g}: the net does not fit all labels at this scale"
        if last["train_error"] > 0
        else f"more than {_NARROW:g}"
    )
    return Claimed(claim, measured, False, reason)


def _below_one(rows: Sequence[Mapping[str, Any]]) -> Claimed:
    claim = (
        "with weight decay labels are never interpolated: margins y f tend to a common"
        " value below 1, 1 - lam / (mu^2 + lam) by Lemma 6"
    )
    last = rows[-1]
    mean, rho = last["mean"], last["rho"]
    if not (mean > 0 and rho > 0):
        return Claimed(claim, f"mean y f {mean:.3g}", None, "the net has not learned")
    predicted = 1 - _DECAY / ((mean / rho) ** 2 + _DECAY)
    error = last["deviation"] / math.sqrt(last["samples"])
    measured = (
        f"at the end the mean of y f is {mean:.4f} +- {error:.4f}; Lemma 6 says"
        f" {predicted:.4f}; {100 * last['share_above_1']:.0f} % of the samples are above 1"
    )
    if abs(mean - 1) <= 2 * error:
        reason = "it is within two standard errors of 1"
        return Claimed(claim, measured, None, reason)
    if mean > 1:
        return Claimed(claim, measured, False, "it is above 1")
    reason = "their mean is, but not all of them" if last["share_above_1"] else ""
    return Claimed(claim, measured, True, reason)


def _draw(outcome: Outcome) -> Figure:
    figure, axes = sheet(10, 3.8, "Margins y f over epochs", "P1, figure 8", 1, 2)
    shown = outcome.series["histograms"]
    colors = (GRAY, BLUE, GREEN, ORANGE, "red")[-len(shown) :]
    for histogram, color in zip(shown, colors, strict=True):
        axes[0].stairs(
            histogram["counts"],
            histogram["edges"],
            color=color,
            linewidth=1.4,
            label=f"epoch {histogram['epoch']}",
        )
    axes[0].axvline(1, color="black", linewidth=0.8, linestyle=":")
    axes[0].set_xlabel("margin y f (dotted: the target)")
    axes[0].set_ylabel("training samples")
    axes[0].legend(fontsize=7, frameon=False)
    axes[1].plot(outcome.series["epoch"], outcome.series["rho"], color=BLUE)
    axes[1].set_ylabel("rho", color=BLUE)
    other = axes[1].twinx()
    other.plot(outcome.series["epoch"], outcome.series["deviation"], color=ORANGE)
    other.set_ylabel("deviation of y f", color=ORANGE, fontsize=9)
    other.tick_params(labelsize=8)
    axes[1].set_xlabel("epoch")
    return figure


P1_FIG8 = PaperFigure(
    name="p1-fig8",
    paper="P1",
    title="histograms of y f over epochs, and rho",
    claims=("margins become roughly equal, and stay below 1 with weight decay",),
    needs="Fashion-MNIST or other images",
    minutes=0.2,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
