"""The largest singular values of a matrix that is read in pieces, by Lanczos.

Block Lanczos on A^T A, which in exact arithmetic is Golub and Kahan's bidiagonalization
(1965) of A, with full reorthogonalization: each step reads A once. The block is one
column wider than the values asked for, because from one vector two values that lie close
together look like one between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Rows", "TopValues", "top_singular_values"]

#: A matrix as pieces (some rows, columns) of a dtype, from the start each time.
Rows: TypeAlias = Callable[[type[np.floating[Any]]], Iterator["NDArray[Any]"]]

#: Largest residual at which the estimate of second order is believed.
_CLOSE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class TopValues:
    """The largest singular values as far as an iteration went.

    Attributes:
        values: (k,), largest first, above the true ones by rounding at most.
        errors: (k,) relative: a singular value lies so close to each of them, or, where
            the gap to the next one tells more (Kato and Temple), the largest one to the
            first.
        reads: How often the matrix was read.
    """

    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    reads: int


@dataclass(frozen=True, slots=True, eq=False)
class _Ritz:
    """Squares, their residuals relative to them, and as many vectors as a block has."""

    squares: NDArray[np.float64]
    residuals: NDArray[np.float64]
    reads: int
    vectors: NDArray[np.float64]

    def errors(self, count: int) -> NDArray[np.float64]:
        """Return relative errors of the first ``count`` squares."""
        found = self.residuals[:count].copy()
        if len(self.squares) > 1 and self.squares[0] > 0 and found[0] <= _CLOSE:
            gap = 1 - self.squares[1] / self.squares[0] * (1 + self.residuals[1])
            # Ten times that: the next value is not known, but itself estimated.
            found[0] = min(found[0], 10 * found[0] ** 2 / max(gap, found[0]))
        return found


def _product(
    rows: Rows, block: NDArray[np.float64], dtype: type[np.floating[Any]]
) -> NDArray[np.float64]:
    total = np.zeros_like(block)
    turned = block.astype(dtype, copy=False)
    for piece in rows(dtype):
        total += piece.T @ (piece @ turned)
    return total


def _new_block(
    image: NDArray[np.float64], basis: NDArray[np.float64], size: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a basis of what is new in ``image``, which is used up; coefficients too."""
    for _ in range(2):
        image -= basis @ (basis.T @ image)
    block, coefficients = np.linalg.qr(image)
    # What is left of an exhausted direction is rounding, and not orthogonal.
    alive = np.abs(np.diagonal(coefficients)) > size
    return block[:, alive], coefficients[alive]


def _lanczos(
    rows: Rows,
    dtype: type[np.floating[Any]],
    block: NDArray[np.float64],
    count: int,
    tolerance: float,
    steps: int,
) -> _Ritz:
    columns, width = block.shape
    basis = np.empty((columns, 0))
    projected = np.zeros((0, 0))
    reads = 0
    while True:
        reads += 1
        image = _product(rows, block, dtype)
        basis = np.concatenate([basis, block], axis=1)
        cross = basis.T @ image
        old, new = projected.shape[0], block.shape[1]
        grown = np.zeros((old + new, old + new))
        grown[:old, :old] = projected
        grown[:, old:] = cross
        grown[old:, :old] = cross[:old].T
        projected = grown
        squares, turn = np.linalg.eigh((projected + projected.T) / 2)
        squares, turn = squares[: -count - 3 : -1], turn[:, : -count - 3 : -1]
        if not squares[0] > 0:
            return _Ritz(squares * 0, squares * 0, reads, block)
        rounding = 4 * float(np.finfo(dtype).eps)
        block, left = _new_block(image - basis @ cross, basis, rounding * squares[0])
        moved = np.linalg.norm(left @ turn[-new:], axis=0)
        floor = np.maximum(squares, 1e-300 * squares[0])
        ritz = _Ritz(squares, moved / floor, reads, basis @ turn[:, :width])
        full = basis.shape[1] + block.shape[1] > columns or not block.shape[1]
        if full or reads >= steps or np.all(ritz.errors(count) <= tolerance):
            return ritz


def _checked(rows: Rows, ritz: _Ritz) -> _Ritz:
    """Return the first value and its residual by a pass in float64."""
    vector = ritz.vectors[:, 0] / np.linalg.norm(ritz.vectors[:, 0])
    image = _product(rows, vector[:, None], np.float64)[:, 0]
    square = float(vector @ image)
    residual = float(np.linalg.norm(image - square * vector)) / square
    return _Ritz(
        np.r_[square, ritz.squares[1:]],
        np.r_[residual, ritz.residuals[1:]],
        ritz.reads + 1,
        ritz.vectors,
    )


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
            float64 after; for one value only.
    """
    generator = np.random.default_rng(0)
    width = min(count + 1, columns)
    start, _ = np.linalg.qr(generator.standard_normal((columns, width)))
    reads = 0
    if single and count == 1:
        ritz = _lanczos(rows, np.float32, start, 1, tolerance, steps)
        if ritz.squares[0] > 0:
            ritz = _checked(rows, ritz)
            if ritz.errors(1)[0] <= tolerance:
                return _top(ritz, 1, 0)
            start, _ = np.linalg.qr(ritz.vectors)
        reads = ritz.reads
    return _top(
        _lanczos(rows, np.float64, start, count, tolerance, steps), count, reads
    )


def _top(ritz: _Ritz, count: int, reads: int) -> TopValues:
    values = np.sqrt(ritz.squares[:count])
    # Half, for a square root; residuals below rounding are rounding.
    errors = np.maximum(ritz.errors(count) / 2, 1e-15)
    return TopValues(values, errors, reads + ritz.reads)
