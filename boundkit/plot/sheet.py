"""Blank figures of one look, and text that is safe to draw.

Figures are made with matplotlib's object API: no pyplot, no window, no global state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BLUE", "COLORS", "GRAY", "GREEN", "ORANGE", "plain", "sheet", "ticks_of"]

# Okabe and Ito's colors, told apart by color-blind readers.
BLUE, ORANGE, GREEN, GRAY = "#0072B2", "#D55E00", "#009E73", "#767676"
#: Of samples, in their order.
COLORS = (BLUE, ORANGE, GREEN, GRAY)
#: Of a title, in an inch.
_LETTERS = 11


def plain(name: object, width: int = 40) -> str:
    """Return text as printable ASCII of at most ``width``, shortened in its middle.

    Args:
        name: From a file, so it may hold anything; a dollar sign would start a formula.
        width: Characters, at least 5.
    """
    text = ascii(str(name))[1:-1]
    if len(text) > width:
        tail = (width - 3) // 2
        text = f"{text[: width - 3 - tail]}...{text[-tail:]}"
    return text.replace("$", r"\$")


def sheet(
    width: float,
    height: float,
    what: str,
    about: str,
    rows: int = 1,
    columns: int = 1,
) -> tuple[Figure, list[Axes]]:
    """Return an empty figure and its axes, row by row.

    Args:
        width: Inches.
        height: Inches.
        what: Is drawn; safe text, above all of them.
        about: Name of the checkpoint or sample, or an empty string.
        rows: Of axes.
        columns: Of axes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    room = max(int(_LETTERS * width) - len(what), 12)
    title = f"{what} · {plain(about, room)}" if about else what
    figure.suptitle(title, fontsize=10)
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.tick_params(which="both", labelsize=8)
        each.title.set_fontsize(9)
        each.xaxis.label.set_fontsize(9)
        each.yaxis.label.set_fontsize(9)
    return figure, axes


def ticks_of(axes: Axes, names: Sequence[str], axis: str = "x") -> None:
    """Label the positions 0, 1, ... with names; upright where they are many or long.

    Args:
        axes: To label.
        names: From a file, or plain.
        axis: "x" or "y".
    """
    labels = [plain(name, 18) for name in names]
    crowded = max(map(len, labels)) * len(labels) > 40
    if axis == "x":
        axes.set_xticks(range(len(labels)), labels, rotation=90 if crowded else 0)
    else:
        axes.set_yticks(range(len(labels)), labels)
