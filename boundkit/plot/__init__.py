"""Figures from plain data; the only place that imports matplotlib.

To add a figure: write its file here, one function from ``Sources`` to a Figure or None,
and add it to ``FIGURES``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.plot.choosing import chosen
from boundkit.plot.class_cosines import class_cosines
from boundkit.plot.class_spread import class_spread
from boundkit.plot.covariance_eigenvalues import covariance_eigenvalues
from boundkit.plot.gradient_noise import gradient_noise
from boundkit.plot.layer_norms import layer_norms
from boundkit.plot.layer_spectra import layer_spectra
from boundkit.plot.loss_decomposition import loss_decomposition
from boundkit.plot.margin_histogram import margin_histogram
from boundkit.plot.saving import save
from boundkit.plot.sources import Sources, flat

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

__all__ = [
    "FIGURES",
    "Sources",
    "chosen",
    "drawn",
    "flat",
    "save",
]

#: The catalog; each is named as its file is.
FIGURES: tuple[Callable[[Sources], Figure | None], ...] = (
    margin_histogram,
    class_cosines,
    covariance_eigenvalues,
    class_spread,
    loss_decomposition,
    layer_norms,
    layer_spectra,
    gradient_noise,
)


def drawn(sources: Sources) -> dict[str, Figure]:
    """Return every figure that the sources suffice for, by name.

    Args:
        sources: What is known.
    """
    figures = {each.__name__: each(sources) for each in FIGURES}
    return {name: figure for name, figure in figures.items() if figure is not None}
