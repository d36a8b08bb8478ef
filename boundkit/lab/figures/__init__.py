"""The catalog of figures: one file each, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.lab.figures.p1_fig3 import P1_FIG3

if TYPE_CHECKING:
    from boundkit.lab.exhibit import PaperFigure

__all__ = ["FIGURES"]

FIGURES: tuple[PaperFigure, ...] = (P1_FIG3,)
