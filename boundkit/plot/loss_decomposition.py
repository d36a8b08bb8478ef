"""What the square loss is made of: collapse, its geometry, and the classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.plot.sheet import BLUE, GRAY, GREEN, ORANGE, sheet
from boundkit.plot.sources import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundkit.plot.sources import Sources

__all__ = ["loss_decomposition"]

_TERMS = {
    "mse.l_nc1": (r"$L_{NC1}$: spread within classes", BLUE),
    "mse.l_nc23": (r"$L_{NC2/3}$: means off a simplex", GREEN),
    "mse.l_perp": (r"$L_\perp$: classifier off least squares", ORANGE),
    "mse.total": ("total", GRAY),
}
#: Decades that are shown below the total.
_DECADES = 8


def loss_decomposition(sources: Sources) -> Figure | None:
    """Draw the three terms of the square loss and their sum, on a logarithmic scale.

    Han, Papyan, Donoho (2022), equation (5) and figure 2, of one checkpoint.

    Args:
        sources: With ``collapse``.

    Returns:
        The figure; None where the decomposition is not known.
    """
    panels = {}
    for sample, values in sources.collapse.items():
        terms = {name: number_of(values, name) for name in _TERMS}
        total = terms["mse.total"]
        if None not in terms.values() and total is not None and total > 0:
            panels[sample] = terms
    if not panels:
        return None
    figure, axes = sheet(
        6.8,
        0.9 + 1.7 * len(panels),
        "Square loss",
        sources.title,
        rows=len(panels),
    )
    for each, (sample, terms) in zip(axes, panels.items(), strict=True):
        _bars(each, terms)
        each.set_title(sample, fontsize=9, loc="left")
    axes[-1].set_xlabel("loss, one-hot targets, with weight decay")
    return figure


def _bars(axes: Axes, terms: Mapping[str, Any]) -> None:
    total = terms["mse.total"]
    shown = {name: value for name, value in terms.items() if value is not None}
    drawn = [value for value in shown.values() if value > total * 10.0**-_DECADES]
    floor = min(drawn) / 10
    for place, (name, value) in enumerate(shown.items()):
        label, color = _TERMS[name]
        axes.barh(place, max(value, floor), color=color, label=label)
        axes.text(max(value, floor), place, f" {value:.3g}", va="center", fontsize=8)
    axes.set_yticks(range(len(shown)), [_TERMS[name][0] for name in shown])
    axes.invert_yaxis()
    axes.set_xscale("log")
    # Room for the number beside the longest bar.
    axes.set_xlim(floor, max(drawn) * (max(drawn) / floor) ** 0.25)
