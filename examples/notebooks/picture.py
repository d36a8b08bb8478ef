"""A figure that a notebook shows, whatever its matplotlib backend."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Picture"]


@dataclass(frozen=True, slots=True)
class Picture:
    """Show ``figure`` as a small PNG; Jupyter asks for it by this method's name."""

    figure: Figure

    def _repr_png_(self) -> bytes:
        drawn, small = io.BytesIO(), io.BytesIO()
        self.figure.savefig(drawn, format="png", dpi=80)
        # A palette keeps a notebook with its outputs below 100 kB.
        Image.open(drawn).convert("RGB").quantize(256).save(
            small, format="png", optimize=True
        )
        return small.getvalue()
