"""Angles between class means and between classifiers, beside those of a simplex."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.plot.sheet import sheet, ticks_of
from boundkit.plot.sources import array_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from boundkit.plot.sources import Sources

__all__ = ["class_cosines"]

#: Classes up to which cells show their number, and up to which they have names.
_NUMBERED, _NAMED = 12, 40
#: Of the colors; the same in every figure, so that checkpoints can be compared.
_LIMIT = 0.5


def class_cosines(sources: Sources) -> Figure | None:
    """Draw heat maps of the cosines of centered class means and of classifier rows.

    The color is ``cos + 1/(C-1)``, zero for a simplex equiangular tight frame, on a
    scale that is the same in every figure.

    Args:
        sources: With ``collapse`` of the training sample, or of the test sample.

    Returns:
        The figure; None where there are no cosines.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    sample, panels = _panels(sources)
    if not panels:
        return None
    classes = max(len(table) for table in panels.values())
    crowded = classes > _NAMED
    side = float(np.clip(0.34 * classes, 2.6, 5.2))
    figure, axes = sheet(
        (side + (0.2 if crowded else 1.2)) * len(panels) + 1.0,
        side + (1.0 if crowded else 1.6),
        f"Cosines between classes ({sample})",
        sources.title,
        columns=len(panels),
    )
    for each, (label, table) in zip(axes, panels.items(), strict=True):
        _heat_map(each, table, sources)
        each.set_title(label, fontsize=9)
    scale = ScalarMappable(Normalize(-_LIMIT, _LIMIT), "RdBu_r")
    bar = figure.colorbar(scale, ax=axes, shrink=0.8, extend="both")
    bar.set_label("cos + 1/(C-1): 0 at neural collapse", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return figure


def _panels(sources: Sources) -> tuple[str, dict[str, Any]]:
    names = {
        "centered class means": "cosines.means",
        "classifier rows": "cosines.weights",
    }
    for sample, values in sources.collapse.items():
        found = {label: array_of(values, name) for label, name in names.items()}
        panels = {
            label: table
            for label, table in found.items()
            if table is not None and len(table) > 1
        }
        if panels:
            return sample, panels
    return "", {}


def _deviation(table: Any) -> Any:
    """Return ``cos + 1/(C-1)`` off the diagonal, NaN on it."""
    deviation = table + 1 / (len(table) - 1)
    np.fill_diagonal(deviation, np.nan)
    return deviation


def _short(cosine: float) -> str:
    text = f"{cosine:.2f}".replace("0.", ".")
    return "0" if text.strip("-") == ".00" else text


def _heat_map(axes: Axes, table: Any, sources: Sources) -> None:
    deviation = _deviation(table)
    axes.imshow(deviation, cmap="RdBu_r", vmin=-_LIMIT, vmax=_LIMIT)
    axes.set_facecolor("0.85")
    classes = len(table)
    if classes <= _NAMED:
        names = sources.class_names or range(classes)
        ticks_of(axes, [str(name) for name in names][:classes])
        ticks_of(axes, [str(name) for name in names][:classes], "y")
    else:
        axes.set_xlabel(f"{classes} classes")
    if classes <= _NUMBERED:
        for row, column in np.argwhere(np.isfinite(deviation)):
            dark = abs(deviation[row, column]) > 0.6 * _LIMIT
            axes.text(
                column,
                row,
                _short(table[row, column]),
                ha="center",
                va="center",
                fontsize=6,
                color="white" if dark else "black",
            )
