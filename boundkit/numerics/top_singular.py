"""The largest singular values of a matrix that is read in pieces, by Lanczos.

Block Lanczos on A^T A, which in exact arithmetic is Golub and Kahan's bidiagonalization
(1965) of A, with full reorthogonalization: each step reads A once. The block is one
column wider than the values asked for, because from one vector two values that lie close
together look like one between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Rows", "TopValues", "top_singular_values"]

#: A matrix as pieces (some rows, columns) of a dtype, from the start each time.
Rows: TypeAlias = Callable[[type[np.floating[Any]]], Iterator["NDArray[Any]"]]

#: Largest residual at which the estimate of second order is believed.
_CLOSE = 1e-4
#: Steps whose values are not looked at: they are rarely close enough, and looking costs.
_UNJUDGED = 6
#: Share of a squared row that must be its own for Cholesky to keep half of float32.
_INDEPENDENT = 1e-2
#: Blocks that the basis has room for at first.
_FIRST = 12


@dataclass(frozen=True, slots=True, eq=False)
class TopValues:
    """The largest singular values as far as an iteration went.

    Attributes:
        values: (k,), largest first, above the true ones by rounding at most.
        errors: (k,) relative: a singular value lies so close to each of them, or, where
            the gap to the next one tells more (Kato and Temple), the largest one to the
            first.
        reads: How often the matrix was read.
        frobenius: Its Frobenius norm, where one of the readings was in float64 only to
            check.
    """

    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    reads: int
    frobenius: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Ritz:
    """Squares, their residuals relative to them, and as many vectors as a block has."""

    squares: NDArray[np.float64]
    residuals: NDArray[np.float64]
    reads: int
    vectors: NDArray[np.float64]

    def errors(self, count: int) -> NDArray[np.float64]:
        """Return relative errors of the first ``count`` squares."""
        return _errors(self.squares, self.residuals, count)


def _errors(
    squares: NDArray[np.float64], residuals: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    found = residuals[:count].copy()
    if len(squares) > 1 and squares[0] > 0 and 0 < found[0] <= _CLOSE:
        gap = 1 - squares[1] / squares[0] * (1 + residuals[1])
        # Ten times that: the next value is not known, but itself estimated.
        found[0] = min(found[0], 10 * found[0] ** 2 / max(gap, found[0]))
    return found


def _product(
    rows: Rows, block: NDArray[Any], dtype: type[np.floating[Any]]
) -> NDArray[Any]:
    """Return ``block A^T A`` for a block (width, columns) of this dtype."""
    total = np.zeros(block.shape, dtype)
    for piece in rows(dtype):
        total += (block @ piece.T) @ piece
    return total


def _orthonormal(
    image: NDArray[Any], size: float
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return B (k, columns) with orthonormal rows, and C with ``image = C B``.

    By the Cholesky factor of the Gram matrix of the rows, unless they are nearly
    dependent. Rows that others exhaust are left out: what is left of them is rounding,
    and not orthogonal.
    """
    width = len(image)
    gram = (image @ image.T).tolist()
    factor = [[0.0] * width for _ in range(width)]
    inverse = [[0.0] * width for _ in range(width)]
    # Lists: library calls for so few numbers cost more than all the rest.
    for i, row in enumerate(factor):
        left = own = gram[i][i]
        for j in range(i):
            known = gram[i][j]
            for k in range(j):
                known -= row[k] * factor[j][k]
            row[j] = known / factor[j][j]
            left -= row[j] * row[j]
        if not left > max(_INDEPENDENT * own, size * size):
            return _by_rows(image, size)
        row[i] = math.sqrt(left)
        for j in range(i):
            known = 0.0
            for k in range(j, i):
                known -= row[k] * inverse[k][j]
            inverse[i][j] = known / row[i]
        inverse[i][i] = 1 / row[i]
    return np.array(inverse, image.dtype) @ image, np.array(factor)


def _by_rows(
    image: NDArray[Any], size: float
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Do the same row by row (Gram and Schmidt, twice); the rows are used up."""
    width = len(image)
    coefficients = np.zeros((width, width))
    kept = 0
    for i, row in enumerate(image):
        for _ in range(2 if kept else 0):
            parts = image[:kept] @ row
            np.subtract(row, parts @ image[:kept], out=row)
            coefficients[i, :kept] += parts
        length = math.sqrt(float(row @ row))
        if length > size:
            coefficients[i, kept] = length
            np.divide(row, length, out=image[kept])
            kept += 1
    return image[:kept], coefficients[:, :kept]


def _with_room(held: NDArray[Any], rows: int, most: int) -> NDArray[Any]:
    """Return an array whose first axis holds so many rows, and some to come."""
    if rows <= len(held):
        return held
    many = min(most, max(rows, len(held) * 3 // 2))
    grown = np.empty((many, held.shape[1]), held.dtype)
    grown[: len(held)] = held
    return grown


def _lanczos(
    rows: Rows,
    dtype: type[np.floating[Any]],
    start: NDArray[Any],
    count: int,
    tolerance: float,
    steps: int,
) -> _Ritz:
    """Iterate from a block (width, columns) with orthonormal rows."""
    width, columns = start.shape
    eps = float(np.finfo(dtype).eps)
    basis = np.empty((min(_FIRST * width, columns), columns), dtype)
    projected: NDArray[np.float64] = np.zeros((0, 0))
    block, reads, held = start.astype(dtype, copy=False), 0, 0
    largest, judged = 0.0, _UNJUDGED
    while True:
        reads += 1
        image = _product(rows, block, dtype)
        largest = max(largest, math.sqrt(float(np.vdot(image, image))))
        old, held = held, held + len(block)
        basis = _with_room(basis, held, columns)
        basis[old:held] = block
        cross = image @ basis[:held].T
        projected = _bordered(projected, cross)
        image -= cross @ basis[:held]
        block, left = _orthonormal(image, 4 * eps * largest)
        # Twice is enough (Kahan; Parlett (1998), 6.9); what mostly goes was rounding.
        block, left = _cleaned(block, left, basis[:held], eps)
        done = held + len(block) > columns or not len(block) or reads >= steps
        if not done and reads < judged:
            continue
        squares, turn = np.linalg.eigh(projected)
        squares = np.maximum(squares[: -count - 3 : -1], 0.0)
        turn = turn[:, : -count - 3 : -1]
        if not squares[0] > 0:
            return _Ritz(squares * 0, squares * 0, reads, start)
        moved = np.sqrt(np.sum((left.T @ turn[old:held]) ** 2, axis=0))
        residuals = moved / np.maximum(squares, 1e-300 * squares[0])
        worst = float(np.max(_errors(squares, residuals, count)))
        # A step rarely gains more than a digit.
        judged = reads + max(1, int(math.log10(max(worst / _CLOSE, 1.0))))
        if done or worst <= tolerance:
            found = turn[:, :width].T @ basis[:held]
            return _Ritz(squares, residuals, reads, found)


def _cleaned(
    block: NDArray[Any], left: NDArray[np.float64], basis: NDArray[Any], eps: float
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the block without what is left of the basis in it, and its coefficients."""
    rest = block @ basis.T
    block -= rest @ basis
    # Less than that changes no length.
    if float(np.vdot(rest, rest)) <= eps:
        return block, left
    block, again = _orthonormal(block, 0.1)
    return block, left @ again


def _bordered(
    projected: NDArray[np.float64], cross: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the projection with the rows and columns of a new block."""
    old, held = len(projected), cross.shape[1]
    grown = np.empty((held, held))
    grown[:old, :old] = projected
    grown[old:] = cross
    grown[:old, old:] = cross[:, :old].T
    corner = grown[old:, old:]
    grown[old:, old:] = (corner + corner.T) / 2
    return grown


# Layers of a network share few shapes.
@lru_cache(maxsize=4)
def _start(width: int, columns: int) -> NDArray[np.float64]:
    """Return (width, columns): orthonormal rows in directions at random, to be read."""
    drawn = np.random.default_rng(0).standard_normal((width, columns))
    start, _ = _orthonormal(drawn, 0.0)
    start.flags.writeable = False
    return start


def _checked(rows: Rows, ritz: _Ritz) -> tuple[_Ritz, float]:
    """Return the first value and its residual by a pass in float64, and the norm."""
    vector = ritz.vectors[0] / np.linalg.norm(ritz.vectors[0])
    image = np.zeros(len(vector))
    energy = []
    for piece in rows(np.float64):
        flat = piece.ravel(order="K")
        energy.append(float(flat @ flat))
        image += (piece @ vector) @ piece
    square = float(vector @ image)
    residual = float(np.linalg.norm(image - square * vector)) / square
    squares, residuals = ritz.squares.copy(), ritz.residuals.copy()
    squares[0], residuals[0] = square, residual
    checked = _Ritz(squares, residuals, ritz.reads + 1, ritz.vectors)
    return checked, math.sqrt(math.fsum(energy))


def top_singular_values(
    rows: Rows,
    columns: int,
    *,
    count: int = 1,
    tolerance: float = 1e-6,
    steps: int = 300,
    single: bool = False,
) -> TopValues:
    """Return the ``count`` largest singular values.

    Stops when each is known to ``tolerance``. From a random start the largest one is
    missed with a probability that no program can observe; Kuczynski and Wozniakowski
    (1992), Theorem 4.2.

    Args:
        rows: Of the matrix, of a norm whose fourth power is a normal number.
        columns: How many it has.
        count: How many values, at most ``columns``.
        tolerance: Relative error to stop at.
        steps: Most readings of the matrix.
        single: Whether to iterate in float32 first, which is faster, and check in
            float64 after; for one value, and a norm between 1e-3 and 1e9, only.
    """
    start = _start(min(count + 1, columns), columns)
    reads, norm = 0, None
    if single and count == 1:
        ritz = _lanczos(rows, np.float32, start, 1, tolerance, steps)
        if ritz.squares[0] > 0:
            ritz, norm = _checked(rows, ritz)
            if ritz.errors(1)[0] <= tolerance:
                return _top(ritz, 1, 0, norm)
            start, _ = _orthonormal(ritz.vectors, 0.5)
        reads = ritz.reads
    ritz = _lanczos(rows, np.float64, start, count, tolerance, steps)
    return _top(ritz, count, reads, norm)


def _top(ritz: _Ritz, count: int, reads: int, norm: float | None) -> TopValues:
    values = np.sqrt(ritz.squares[:count])
    # Half, for a square root; residuals below rounding, which is that of the largest
    # square, are rounding.
    unit = np.maximum(values / (values[0] or 1.0), 1e-9)
    errors = np.maximum(ritz.errors(count) / 2, 1e-15 / unit**2)
    return TopValues(values, errors, reads + ritz.reads, norm)
