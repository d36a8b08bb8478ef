"""The quantity of Pinto, Rangamani and Poggio (2024) for low-rank layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["pinto2024"]


def pinto2024(
    spectral: Sequence[float], ranks: Sequence[float], widths: Sequence[int]
) -> Measurement:
    """Return ``prod ||W_l||_2 sqrt(max_l rank_l width_l)``, a heuristic.

    After Pinto, Rangamani and Poggio (2024), On generalization bounds for neural networks
    with low rank layers: a chain rule for Gaussian complexities, whose constants per
    layer are not explicit there.

    Args:
        spectral: (L,) spectral norms of the filter matrices.
        ranks: (L,) numerical ranks, s > 1e-3 s_1.
        widths: (L,) outputs of the layers.
    """
    largest = max(r * w for r, w in zip(ranks, widths, strict=True))
    log10 = math.fsum(map(math.log10, spectral)) + 0.5 * math.log10(largest)
    return Measurement(
        "pinto2024",
        math.pow(10.0, log10) if log10 < 308 else None,
        "1",
        "Pinto, Rangamani and Poggio (2024), constants left out",
        kind="heuristic",
        log10=log10,
    )
