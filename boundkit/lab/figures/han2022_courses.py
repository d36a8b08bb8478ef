"""Measures of P2's nets over the recorded epochs, and a panel for each net."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.lab.figures.han2022_runs import recipe_of
from boundkit.lab.measuring import collapse_of
from boundkit.plot.sheet import BLUE, GREEN, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundkit.lab.exhibit import Bench, Outcome
    from boundkit.lab.recipe import Loss

__all__ = ["NC1", "NEEDS", "course", "curves", "panels"]

NC1 = "nc1_pinv_per_class"
NEEDS = "Fashion-MNIST or other images of ten classes"
_COLORS = (BLUE, ORANGE, GREEN, "#CC79A7")


def course(
    bench: Bench, net: str, loss: Loss, names: Mapping[str, str], part: str = "train"
) -> dict[str, list[Any]]:
    """Return measures over the recorded epochs of a run, and ``"epoch"``.

    Args:
        bench: With the run.
        net: Of the run.
        loss: Of the run.
        names: Label -> name of a measure of neural collapse.
        part: ``"train"`` or ``"test"``.
    """
    recipe = recipe_of(bench.scale, net, loss)
    epochs = bench.runs[recipe].epochs
    found = [collapse_of(bench, recipe, epoch, part) for epoch in epochs]
    lines: dict[str, list[Any]] = {"epoch": list(epochs)}
    return lines | {
        label: [one[name] for one in found] for label, name in names.items()
    }


def curves(axis: Axes, lines: Mapping[str, list[Any]]) -> None:
    """Draw every line over the epochs, on a logarithmic scale where there is one."""
    for color, label in zip(_COLORS, (x for x in lines if x != "epoch"), strict=False):
        axis.plot(lines["epoch"], lines[label], color=color, label=label)
    drawn = [v for label in lines if label != "epoch" for v in lines[label] if v]
    # A mismatch of exactly zero has no logarithm.
    axis.set_yscale("log" if drawn and min(drawn) > 0 else "linear")


def panels(
    outcome: Outcome,
    title: str,
    about: str,
    label: str,
    draw: Callable[[Axes, Any], None] = curves,
) -> Figure:
    """Return a figure with a panel for each net of an outcome.

    Args:
        outcome: Whose series are named by nets.
        title: Of the figure.
        about: Which figure of the paper it is.
        label: Of the vertical axis.
        draw: Draws the series of a net.
    """
    names = list(outcome.series)
    figure, axes = sheet(9, 3.5, title, about, 1, len(names))
    for axis, name in zip(axes, names, strict=True):
        draw(axis, outcome.series[name])
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("epoch")
        axis.legend(fontsize=7, frameon=False)
    axes[0].set_ylabel(label)
    return figure
