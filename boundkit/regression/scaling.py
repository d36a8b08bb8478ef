"""Columns in units in which least squares neither overflows nor cancels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Scaled", "scaled"]


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """Two columns, x about its mean; both in units of a power of two.

    Attributes:
        x: (x - center) / x_unit.
        y: y / y_unit.
        at: The center over x_unit, so that x = 0 lies at -at.
        x_unit: The largest distance from the center lies in (x_unit / 2, x_unit].
        y_unit: The largest absolute value lies there.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    at: float
    x_unit: float
    y_unit: float


def scaled(x: NDArray[np.float64], y: NDArray[np.float64]) -> Scaled:
    """Return both columns in units of their own; a power of two rounds nothing.

    Args:
        x: (n,), not constant.
        y: (n,).
    """
    first = _unit(x)
    inner = x / first
    center = float(inner.mean())
    second = _unit(inner - center)
    unit = _unit(y)
    return Scaled(
        (inner - center) / second, y / unit, center / second, first * second, unit
    )


def _unit(values: NDArray[np.float64]) -> float:
    largest = float(np.abs(values).max())
    return (
        float(2.0 ** np.clip(np.ceil(np.log2(largest)), -1020, 1020))
        if largest
        else 1.0
    )
