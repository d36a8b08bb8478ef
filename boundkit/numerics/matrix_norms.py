"""Norms of the rows of a layer as a matrix on whole maps, never below the true ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.numerics.path_counts import conv_edges, tap_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.types import Geometry

__all__ = ["channel_sums", "row_norms", "row_sums"]

#: Elements of a dense matrix that are looked at together.
_CHUNK = 2**22


def channel_sums(
    values: NDArray[np.float64], geometry: Geometry | None
) -> NDArray[np.float64]:
    """Return (out, *kernel): nonnegative entries of a weight summed over its inputs.

    Args:
        values: (out, in / groups, *kernel), or (in, out / groups, *kernel) transposed,
            or (out, in) without a geometry.
        geometry: Of the convolution.
    """
    if geometry is None or not geometry.transposed:
        return np.asarray(values.sum(axis=1), np.float64)
    parts = values.reshape(geometry.groups, -1, *values.shape[1:])
    sums = parts.sum(axis=1)
    return np.asarray(sums.reshape(-1, *sums.shape[2:]), np.float64)


def _met(
    per_tap: NDArray[np.float64], geometry: Geometry, sizes: Sequence[int]
) -> NDArray[np.float64]:
    """Return (out, *positions): the sum over the taps that meet the input there."""
    for axis, size in enumerate(sizes):
        meets = (tap_sources(geometry, axis, size) >= 0).astype(np.float64)
        # The tap axis in front goes, the position axis comes last: the order is kept.
        per_tap = np.tensordot(per_tap, meets, (1, 0))
    return per_tap


def _folded(geometry: Geometry, sizes: Sequence[int]) -> float:
    """Return into how many taps of one patch an input may be copied by padding."""
    return math.prod(
        float(e.weight.max(initial=1.0)) for e in conv_edges(geometry, sizes)
    )


def _rows(matrix: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    step = max(1, _CHUNK // max(matrix.shape[1], 1))
    return [
        np.asarray(matrix[i : i + step], np.float64)
        for i in range(0, matrix.shape[0], step)
    ]


def row_norms(
    weight: NDArray[np.float64], geometry: Geometry | None, sizes: Sequence[int]
) -> float:
    """Return the sum over all rows of the unrolled matrix of their Euclidean norms.

    Exact with zero padding; padding that copies an input adds at most q taps into one
    entry of a row, which multiplies the norm of the row by at most sqrt(q).

    Args:
        weight: (out, in) or the weight of a convolution.
        geometry: None for a dense layer.
        sizes: Input positions along each axis.
    """
    if geometry is None:
        parts = [np.linalg.norm(rows, axis=1) for rows in _rows(weight)]
        return float(sum(part.sum() for part in parts))
    squares = _met(channel_sums(weight**2, geometry), geometry, sizes)
    return float(np.sqrt(squares).sum()) * math.sqrt(_folded(geometry, sizes))


def row_sums(
    weight: NDArray[np.float64], geometry: Geometry | None, sizes: Sequence[int]
) -> tuple[float, float]:
    """Return the largest l1 norm of a row of the unrolled matrix, and the sum of all.

    Exact with zero padding, else an upper bound.

    Args:
        weight: (out, in) or the weight of a convolution.
        geometry: None for a dense layer.
        sizes: Input positions along each axis.
    """
    if geometry is None:
        sums = np.concatenate([np.abs(rows).sum(axis=1) for rows in _rows(weight)])
    else:
        sums = _met(channel_sums(np.abs(weight), geometry), geometry, sizes)
    return float(sums.max()), float(sums.sum())
