"""The size of the bound of Long and Sedghi (2020), whose constant is not known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["long_sedghi2020"]


def _size(
    moved: float, parameters: int, lipschitz: float, n: int, delta: float
) -> float:
    confidence = math.log(1 / delta)
    if moved >= 5:
        inner = parameters * (moved + math.log(lipschitz)) + confidence
        return math.sqrt(max(inner, 0.0) / n)
    small = moved * lipschitz * math.sqrt(parameters / n)
    return small + math.sqrt(confidence / n)


def long_sedghi2020(
    spectral: Mapping[str, float],
    parameters: int,
    margin: float,
    n: int,
    delta: float,
    *,
    from_start: bool,
) -> Measurement:
    """Return ``sqrt((W (beta + log lam) + log 1/delta) / n)``, the form for beta >= 5.

    Below 5 it is ``beta lam sqrt(W / n) + sqrt(log(1/delta) / n)``. beta is the sum over
    the layers of the spectral norm of the change since initialization, lam = 1 / margin.
    Long and Sedghi (2020), Generalization bounds for deep convolutional neural networks,
    Theorem 2.1, with its unspecified constant set to 1: a heuristic.

    Args:
        spectral: Layer -> spectral norm of its change, or of itself without a start.
        parameters: W.
        margin: Margin at which the loss is taken.
        n: Sample size.
        delta: Probability of failure.
        from_start: Whether the norms are those of changes.
    """
    value = _size(sum(spectral.values()), parameters, max(1 / margin, 1.0), n, delta)
    which = "distances from --init" if from_start else "norms in place of distances"
    source = f"Long and Sedghi (2020), Theorem 2.1, constant set to 1; {which}"
    finite = math.isfinite(value)
    return Measurement(
        "long_sedghi2020",
        value if finite else None,
        "1",
        source,
        kind="heuristic",
        log10=math.log10(value) if finite and value > 0 else None,
    )
