"""Singular values of the filter matrix of each layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.numerics.gram import exponent_of, gram_largest, gram_singular_values
from boundkit.numerics.matrix_pieces import column_pieces, filter_view, row_pieces
from boundkit.numerics.norms import frobenius_norm
from boundkit.numerics.top_singular import TopValues, top_singular_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from boundkit.types import Layer

__all__ = [
    "BUDGET",
    "RELIABLE",
    "Extent",
    "Spectrum",
    "filter_matrix",
    "layer_spectrum",
    "singular_values",
    "thinned",
]

#: How much of a spectrum: all of it, its top, nothing, or all where that takes seconds.
Extent = Literal["auto", "full", "top", "none"]

#: Elements of a block of a dot product in float32.
_BLOCK = 2**16
#: Flops of a Gram matrix above which "auto" computes the top only: about a second.
BUDGET = 1e11
#: Relative size down to which singular values enter fits.
RELIABLE = 1e-5
#: Elements up to which a decomposition is as fast as anything else.
_TINY = 2048
#: Smaller side up to which all eigenvalues of the Gram matrix take less than Lanczos.
_NARROW = 96
#: Norms whose fourth power, and that of what is left, are normal in float32 as well.
_SINGLE = 1e-3, 1e9
#: Values of which the top consists: enough for s_3 / s_1.
_TOP = 3
#: Relative error at which the largest singular value is right.
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Singular values of a filter matrix, outputs x rest.

    Attributes:
        rows: Outputs.
        rest: Inputs, times kernel positions.
        values: Largest first; all of them, or the largest few.
        complete: Whether all are there.
        floor: Those of at least ``floor * values[0]`` are right to 1e-6 relative; of
            smaller ones only that they are smaller is known.
        frobenius: Root of the sum of the squares of all.
        method: How they were found, in words.
    """

    rows: int
    rest: int
    values: NDArray[np.float64]
    complete: bool
    floor: float
    frobenius: float
    method: str

    def thinned(self, most: int = 200) -> list[tuple[int, float]]:
        """Return at most so many pairs (rank from 1, value), even on a log scale."""
        return thinned(self.values, most)


def thinned(
    values: Sequence[float] | NDArray[np.float64], most: int
) -> list[tuple[int, float]]:
    """Return at most so many pairs (rank from 1, value), even on a log scale.

    Args:
        values: Largest first.
        most: Pairs.
    """
    n = len(values)
    if n > most:
        ranks = np.unique(np.rint(np.geomspace(1, n, most)).astype(int)).tolist()
    else:
        ranks = list(range(1, n + 1))
    return [(rank, float(values[rank - 1])) for rank in ranks]


def filter_matrix(layer: Layer) -> NDArray[np.float64]:
    """Return the weight as (outputs, rest), float64.

    Raises:
        NotApplicable: The numbers cannot be read.
    """
    return np.asarray(filter_view(layer), np.float64)


def singular_values(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the singular values, largest first.

    Those of at least ``1e-5 s_1`` are right to 1e-6 relative.

    Args:
        matrix: (m, n), finite.
    """
    top = float(np.max(np.abs(matrix), initial=0.0))
    if top == 0:
        return np.zeros(min(matrix.shape))
    exponent = math.frexp(top)[1]
    unit = np.ldexp(matrix, -exponent)
    return np.ldexp(_all_values(unit, 0).values, exponent)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Values, from where on they are known, the Frobenius norm, and how."""

    values: NDArray[np.float64]
    floor: float
    frobenius: float | None
    method: str


def _all_values(matrix: NDArray[Any], exponent: int) -> _Found:
    """Return all values of a matrix over ``2**exponent``."""
    if matrix.size <= _TINY:
        scaled = np.ldexp(matrix.astype(np.float64), -exponent)
        values, floor, method = np.linalg.svd(scaled, compute_uv=False), 2e-9, "svd"
    else:
        found = gram_singular_values(column_pieces(matrix, exponent), min(matrix.shape))
        values, floor, method = found.values, found.floor, found.method
    return _Found(values, floor, math.sqrt(float(values @ values)), method)


def _room(side: int) -> bool:
    """Say whether a Gram matrix and a copy fit into half of the memory."""
    import os

    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return True
    return 2 * 8.0 * side**2 <= memory / 2


def _wants_all(extent: Extent, rows: int, rest: int) -> bool:
    side, other = min(rows, rest), max(rows, rest)
    if extent == "full":
        return _room(side)
    return extent == "auto" and 2.0 * side**2 * other <= BUDGET


def layer_spectrum(
    layer: Layer, extent: Extent = "auto", *, norm: float | None = None
) -> Spectrum:
    """Return the singular values of a layer's filter matrix.

    Args:
        layer: Its weight is read as often as the method needs, in pieces.
        extent: ``"full"`` for all values, where two matrices of the smaller side fit
            into half of the memory; ``"top"`` for the largest alone, to 1e-6;
            ``"auto"`` for all where the Gram matrix takes up to 1e11 flops, else the
            three largest.
        norm: Frobenius norm of the weight, where it is known already.

    Raises:
        NotApplicable: The matrix is empty, zero, not finite, cannot be read, or the
            iteration did not converge.
        Unreadable: The bytes of a weight are not there.
    """
    matrix = filter_view(layer)
    if norm is None and extent == "top" and (top := _at_once(matrix)) is not None:
        return top
    size = _size(layer, matrix) if norm is None else norm
    if not math.isfinite(size):
        raise NotApplicable("not finite")
    if size == 0:
        raise NotApplicable("a zero matrix has no spectrum to speak of")
    rows, rest = matrix.shape
    exponent = exponent_of(size)
    try:
        if _wants_all(extent, rows, rest):
            found = _all_values(matrix, exponent)
        else:
            found = _top_values(matrix, exponent, size, 1 if extent == "top" else _TOP)
    except np.linalg.LinAlgError as error:
        raise NotApplicable(f"the eigensolver gave up ({error})") from error
    except MemoryError as error:
        raise NotApplicable(
            f"a {rows} x {rest} spectrum takes too much memory"
        ) from error
    if norm is None and found.frobenius is not None:
        norm = math.ldexp(found.frobenius, exponent)
    return _told(matrix, found, exponent, norm or frobenius_norm(layer.weight))


def _told(matrix: NDArray[Any], found: _Found, exponent: int, norm: float) -> Spectrum:
    rows, rest = matrix.shape
    return Spectrum(
        rows,
        rest,
        np.ldexp(found.values, exponent),
        len(found.values) == min(rows, rest),
        found.floor,
        norm,
        found.method,
    )


def _size(layer: Layer, matrix: NDArray[Any]) -> float:
    """Return the Frobenius norm, in the precision of the matrix where that is safe."""
    flat = matrix.reshape(-1)
    square = math.nan
    with np.errstate(over="ignore", invalid="ignore"):
        if flat.dtype in {np.dtype(np.float32), np.dtype(np.float64)}:
            parts = (flat[i : i + _BLOCK] for i in range(0, len(flat), _BLOCK))
            square = sum(float(part @ part) for part in parts)
        # Far from what overflows or underflows in float32.
        if 1e-20 < square < 1e30:
            return math.sqrt(square)
        return frobenius_norm(layer.weight)


def _fits_single(matrix: NDArray[Any]) -> bool:
    """Say whether float32 holds every number of such a matrix."""
    return matrix.dtype.itemsize <= 4 and matrix.dtype.kind not in "biu"


def _at_once(matrix: NDArray[Any]) -> Spectrum | None:
    """Return the largest value alone, without reading all for its size first.

    None where that is not of a size that float32 can square twice: it is known after.

    Raises:
        NotApplicable: Not even the first is known.
    """
    if min(matrix.shape) <= _NARROW or not _fits_single(matrix):
        return None
    pieces, rest = row_pieces(matrix, 0), matrix.shape[1]
    try:
        with np.errstate(all="ignore"):
            found = top_singular_values(pieces, rest, tolerance=_TOLERANCE, single=True)
    except (np.linalg.LinAlgError, MemoryError):
        return None
    if found.frobenius is None or not _SINGLE[0] < found.frobenius < _SINGLE[1]:
        return None
    return _told(matrix, _those_known(found), 0, found.frobenius)


def _top_values(matrix: NDArray[Any], exponent: int, size: float, count: int) -> _Found:
    """Return the largest values of a matrix over ``2**exponent``.

    Raises:
        NotApplicable: Not even the first is known.
    """
    rows, rest = matrix.shape
    side = min(rows, rest)
    if side <= _NARROW:
        values, norm = gram_largest(column_pieces(matrix, exponent), side)
        return _Found(values[:count], 0.0, norm, "gram")
    found = top_singular_values(
        row_pieces(matrix, exponent),
        rest,
        count=min(count, side),
        tolerance=_TOLERANCE,
        single=_fits_single(matrix) and _SINGLE[0] < size < _SINGLE[1],
    )
    return _those_known(found)


def _those_known(found: TopValues) -> _Found:
    known = int(np.count_nonzero(np.cumprod(found.errors <= _TOLERANCE)))
    if not known:
        raise NotApplicable(
            f"the largest singular value is known to {found.errors[0]:.1e} only after"
            f" {found.reads} steps"
        )
    return _Found(found.values[:known], 0.0, found.frobenius, "block lanczos")
