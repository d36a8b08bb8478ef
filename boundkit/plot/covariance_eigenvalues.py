"""Eigenvalues of the covariances within and between classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.plot.sheet import BLUE, ORANGE, sheet
from boundkit.plot.sources import array_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundkit.plot.sources import Sources

__all__ = ["covariance_eigenvalues"]

#: Below this share of the largest one, an eigenvalue is rounding.
_ROUNDING = 1e-14
_NAMES = {
    "within": (r"$\Sigma_W$", BLUE, "."),
    "between": (r"$\Sigma_B$", ORANGE, "o"),
}


def covariance_eigenvalues(sources: Sources) -> Figure | None:
    """Draw the eigenvalues of Sigma_W and Sigma_B by rank, one panel per sample.

    Args:
        sources: With ``collapse``.

    Returns:
        The figure; None where there are none above rounding.
    """
    panels = {}
    for sample, values in sources.collapse.items():
        found = {name: array_of(values, f"eigenvalues.{name}") for name in _NAMES}
        arrays = {name: each for name, each in found.items() if each is not None}
        if any((each > 0).any() for each in arrays.values()):
            panels[sample] = arrays
    if not panels:
        return None
    figure, axes = sheet(
        4.2 * len(panels) + 0.6,
        3.4,
        "Covariance of the features",
        sources.title,
        columns=len(panels),
    )
    for each, (sample, arrays) in zip(axes, panels.items(), strict=True):
        longest = 1
        for name, eigenvalues in arrays.items():
            label, color, marker = _NAMES[name]
            ordered = np.sort(eigenvalues)[::-1]
            kept = ordered[ordered > _ROUNDING * ordered[0]]
            left_out = len(ordered) - len(kept)
            each.plot(
                np.arange(1, len(kept) + 1),
                kept,
                marker,
                markersize=4,
                color=color,
                label=label + (f" ({left_out} below rounding)" if left_out else ""),
            )
            longest = max(longest, len(kept))
        each.set_yscale("log")
        if longest > 50:
            each.set_xscale("log")
        each.set_title(sample, fontsize=9)
        each.set_xlabel("rank")
        each.legend(fontsize=8, frameon=False)
    limits = [each.get_ylim() for each in axes]
    for each in axes:
        each.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    axes[0].set_ylabel("eigenvalue")
    return figure
