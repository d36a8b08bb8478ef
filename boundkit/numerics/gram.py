"""Singular values of a matrix that is read in pieces, through its Gram matrix.

With G = A A^T in float64, each eigenvalue is known to a few times ``eps s_1^2``, hence a
singular value s to about ``eps (s_1 / s)^2``: plenty where s is near s_1, useless where
``s < 1e-8 s_1``. So values below ``1e-4 s_1`` are computed again from A itself: in the
subspace that inverse iteration with G finds for them, whose error is of second order
there, or by a singular value decomposition where they are too many for that.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Pieces",
    "SingularValues",
    "exponent_of",
    "gram_largest",
    "gram_singular_values",
]

#: A matrix (n, m), n <= m, as float64 pieces (n, some columns), from the start each time.
Pieces: TypeAlias = Callable[[], Iterator["NDArray[np.float64]"]]

#: Relative to s_1: down to here the Gram matrix gives 1e-6, with 90 eps to spare.
_TRUSTED = 1e-4
#: What must be right to 1e-6 wherever it can be.
_NEEDED = 1e-5
#: Smallest value that a decomposition of A itself knows to 1e-6.
_KNOWN = 2e-9
#: From this side on torch's eigensolver saves more than a part of its import.
_LARGE = 1536
#: Smaller sides are decomposed directly where the Gram matrix does not suffice.
_DIRECT = 100
#: Most small values that are found by inverse iteration, and its steps.
_FEW, _STEPS = 40, 40


@dataclass(frozen=True, slots=True, eq=False)
class SingularValues:
    """Singular values, and which of them are known.

    Attributes:
        values: (n,), largest first.
        floor: Those of at least ``floor * values[0]`` are right to 1e-6 relative; of
            the others only that they are smaller is known.
        method: How they were found, in words.
    """

    values: NDArray[np.float64]
    floor: float
    method: str


def gram_singular_values(pieces: Pieces, side: int) -> SingularValues:
    """Return all singular values of a matrix.

    Args:
        pieces: Of the matrix, (side, m) with side <= m, finite, of a norm whose square
            neither overflows nor underflows.
        side: Its number of rows.
    """
    upper = _gram(pieces, side)
    squares = _eigenvalues(upper)
    top = squares[-1]
    if not top > 0:
        return SingularValues(np.zeros(side), 0.0, "zero")
    values = np.sqrt(np.maximum(squares[::-1], 0.0))
    unit = values / values[0]
    small = int(np.count_nonzero(unit < _TRUSTED))
    if not small:
        return SingularValues(values, _TRUSTED, "gram")
    if side > _DIRECT:
        again = _small_values(pieces, upper, small, top) if small <= _FEW else None
        if again is not None:
            values[side - small :] = np.minimum(again, values[side - small - 1])
            return SingularValues(values, _KNOWN, "gram, small values by iteration")
        if not np.any(unit[side - small :] >= 0.9 * _NEEDED):
            return SingularValues(values, _TRUSTED, "gram")
    del upper
    return SingularValues(_decomposed(pieces, side), _KNOWN, "svd")


def gram_largest(pieces: Pieces, side: int) -> tuple[NDArray[np.float64], float]:
    """Return those singular values that the Gram matrix gives to 1e-6, largest first.

    The second number is the Frobenius norm.

    Args:
        pieces: As for ``gram_singular_values``.
        side: Number of rows.
    """
    upper = _gram(pieces, side)
    values = np.sqrt(np.maximum(_eigenvalues(upper)[::-1], 0.0))
    known = np.asarray(values[values >= _TRUSTED * values[0]])
    return known, math.sqrt(float(np.trace(upper)))


def _gram(pieces: Pieces, side: int) -> NDArray[np.float64]:
    """Return A A^T by columns; only its upper triangle counts."""
    total: NDArray[np.float64] | None = None
    for piece in pieces():
        # numpy sees that the factors are the same matrix and does half the work, too,
        # but copies the triangle; scipy takes a third of a second to import.
        if total is None and "scipy.linalg" not in sys.modules:
            total = (piece @ piece.T).T
            continue
        from scipy.linalg.blas import dsyrk

        # BLAS counts by columns, so one of the piece and its transpose needs no copy.
        tall = piece.flags.f_contiguous
        total = dsyrk(
            1.0,
            piece if tall else piece.T,
            beta=0.0 if total is None else 1.0,
            c=total,
            trans=0 if tall else 1,
            overwrite_c=1,
        )
    return np.zeros((side, side), order="F") if total is None else total


def _eigenvalues(upper: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the eigenvalues, smallest first, leaving the matrix as it is."""
    # Importing torch takes two seconds, its eigensolver is faster from the upper half.
    if "torch" not in sys.modules and upper.shape[0] < _LARGE:
        return np.asarray(np.linalg.eigvalsh(upper, UPLO="U"))
    import torch

    found = torch.linalg.eigvalsh(torch.from_numpy(upper), UPLO="U")
    values: NDArray[np.float64] = found.numpy()
    return values


def _small_values(
    pieces: Pieces, upper: NDArray[np.float64], small: int, top: float
) -> NDArray[np.float64] | None:
    """Return the smallest singular values, largest first; None if they do not come.

    A component along a large singular vector s_j is damped by ``(s / s_j)^2`` in each
    step, and enters the value only squared, times s_j.
    """
    from scipy.linalg import cho_factor, cho_solve

    side = upper.shape[0]
    shift = 1e-14 * top
    np.einsum("ii->i", upper)[...] += shift
    try:
        factor = cho_factor(upper, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    width = min(side, small + max(8, small // 2))
    generator = np.random.default_rng(0)
    basis, _ = np.linalg.qr(generator.standard_normal((side, width)))
    for _ in range(_STEPS):
        image = cho_solve(factor, basis, check_finite=False)
        weights, turn = np.linalg.eigh(basis.T @ image)
        left = image @ turn - basis @ (turn * weights)
        worst = np.linalg.norm(left, axis=0)[-small:] / weights[-small:]
        basis, _ = np.linalg.qr(image)
        if float(worst.max()) <= 1e-5:
            reduced = np.concatenate([piece.T @ basis for piece in pieces()])
            values = np.linalg.svd(reduced, compute_uv=False)
            return np.asarray(values[-small:])
    return None


def _decomposed(pieces: Pieces, side: int) -> NDArray[np.float64]:
    """Return the singular values by a decomposition, of R where A has many columns."""
    parts: list[NDArray[np.float64]] = []
    columns = 0
    for piece in pieces():
        parts.append(piece.copy())
        columns += piece.shape[1]
        if columns > 3 * side:
            parts = [_triangle(parts)]
            columns = side
    whole = np.concatenate(parts, axis=1)
    parts.clear()
    return np.asarray(np.linalg.svd(whole, compute_uv=False))


def _triangle(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return (n, n) with the Gram matrix of all the parts side by side."""
    stacked = np.concatenate([part.T for part in parts])
    parts.clear()
    return np.asarray(np.linalg.qr(stacked, mode="r")).T


def exponent_of(norm: float) -> int:
    """Return e such that ``norm / 2**e`` can be squared; 0 where the norm itself can."""
    return 0 if 1e-100 < norm < 1e100 else math.frexp(norm)[1]
