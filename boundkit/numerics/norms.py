"""The Frobenius norm of a stored tensor, in float64, in one pass over its bytes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.numerics.blocks import array, floats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from boundkit.types import StoredTensor

__all__ = ["count_non_finite", "frobenius_norm", "norm_of_blocks"]

#: Below this a sum of squares may have lost terms to underflow, so it is redone scaled.
_TINY = 1e-280
#: Tensors up to this size are read in one piece: the calls cost more than the numbers.
_SMALL = 4096


def _scaled_square(block: NDArray[np.float64]) -> tuple[float, float]:
    """Return (scale, s) with sum of squares = scale**2 * s and no overflow in s."""
    scale = float(np.max(np.abs(block)))
    if scale == 0 or not math.isfinite(scale):
        return (scale, 1.0) if scale else (0.0, 0.0)
    # Dividing by a power of two is exact, and stays so for subnormal numbers.
    _, exponent = math.frexp(scale)
    unit = np.ldexp(block, -exponent)
    return math.ldexp(1.0, exponent - 1), 4.0 * float(np.dot(unit, unit))


def norm_of_blocks(pieces: Iterable[NDArray[np.float64]]) -> float:
    """Return the Euclidean norm of all numbers in ``pieces`` of 1-d float64 arrays.

    Relative error below 1e-12 wherever the norm is a normal float64: blocks whose sum of
    squares leaves the range of float64 are summed with a scale of their own, as in
    Blue, "A portable Fortran program to find the Euclidean norm of a vector" (1978).
    NaN if any number is NaN; infinity if any is infinite.
    """
    plain: list[float] = []
    scaled: list[tuple[float, float]] = []
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for piece in pieces:
            square = float(np.dot(piece, piece))
            if _TINY < square < math.inf:
                plain.append(square)
            elif math.isnan(square):
                return math.nan
            else:
                scaled.append(_scaled_square(piece))
    total = math.fsum(plain)
    if not scaled:
        return math.sqrt(total)
    top = max(scale for scale, _ in scaled)
    if top in {math.inf, 0.0}:
        return top or math.sqrt(total)
    root = top * math.sqrt(math.fsum((s / top) ** 2 * x for s, x in scaled))
    return math.hypot(root, math.sqrt(total))


def frobenius_norm(tensor: StoredTensor) -> float:
    """Return the square root of the sum of squares of all elements.

    The norm depends on the numbers alone, not on dtype, layout or storage.

    Raises:
        NotApplicable: The numbers cannot be read; the message says why.
        Unreadable: The bytes are not there.
    """
    whole = tensor.stride is None and not tensor.dtype.startswith("complex")
    if whole and 0 < tensor.numel <= _SMALL:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            small = array(tensor).reshape(-1).astype(np.float64)
            square = float(np.dot(small, small))
        # Everything else, and everything odd, goes the careful way.
        if _TINY < square < math.inf:
            return math.sqrt(square)
    return norm_of_blocks(floats(tensor))


def count_non_finite(tensor: StoredTensor) -> tuple[int, int]:
    """Return how many elements are NaN and how many infinite."""
    nan = infinite = 0
    with np.errstate(invalid="ignore"):
        for piece in floats(tensor):
            nan += int(np.isnan(piece).sum())
            infinite += int(np.isinf(piece).sum())
    return nan, infinite
