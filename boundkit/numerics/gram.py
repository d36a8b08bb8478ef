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
#: Sides of which scipy reduces the lower half faster than MKL does the upper, which
#: from the next on takes two stages and is faster again.
_HALVES = range(704, 1088)
#: Side up to which, with threads, one library for both steps is faster than two.
_TOGETHER = 2048
#: Columns of a panel of that reduction.
_PANEL = 16
#: Most small values that are found by inverse iteration, and its steps.
_FEW, _STEPS = 40, 40
#: Columns beyond these values, and the residual to stop at: its square is the error.
_MORE, _CLOSE = 4, 1e-4


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
    lower = _takes_lower(side)
    half = _gram(pieces, side, lower=lower)
    squares = _eigenvalues(half, lower=lower)
    top = squares[-1]
    if not top > 0:
        return SingularValues(np.zeros(side), 0.0, "zero")
    values = np.sqrt(np.maximum(squares[::-1], 0.0))
    unit = values / values[0]
    small = int(np.count_nonzero(unit < _TRUSTED))
    if not small:
        return SingularValues(values, _TRUSTED, "gram")
    if side > _DIRECT:
        again = None
        if small <= _FEW:
            again = _small_values(pieces, half, small, top, lower=lower)
        if again is not None:
            values[side - small :] = np.minimum(again, values[side - small - 1])
            return SingularValues(values, _KNOWN, "gram, small values by iteration")
        if not np.any(unit[side - small :] >= 0.9 * _NEEDED):
            return SingularValues(values, _TRUSTED, "gram")
    del half
    return SingularValues(_decomposed(pieces, side), _KNOWN, "svd")


def gram_largest(pieces: Pieces, side: int) -> tuple[NDArray[np.float64], float]:
    """Return those singular values that the Gram matrix gives to 1e-6, largest first.

    The second number is the Frobenius norm.

    Args:
        pieces: As for ``gram_singular_values``.
        side: Number of rows.
    """
    lower = _takes_lower(side)
    half = _gram(pieces, side, lower=lower)
    values = np.sqrt(np.maximum(_eigenvalues(half, lower=lower)[::-1], 0.0))
    known = np.asarray(values[values >= _TRUSTED * values[0]])
    return known, math.sqrt(float(np.trace(half)))


def _takes_lower(side: int) -> bool:
    """Say whether scipy reduces a matrix of this side, which the lower half suits.

    Importing torch takes two seconds and scipy a third of one: neither is worth it for
    the part of a second that one saves over the other and over numpy. But torch and
    what multiplies here have threads of their own, which wait for work by spinning: in
    turns they take up to 17 times as long as alone.
    """
    if "torch" in sys.modules:
        from torch import get_num_threads

        if get_num_threads() > 1:
            return 1 < side <= _TOGETHER
        return side in _HALVES and "scipy.linalg" in sys.modules
    return 1 < side < _HALVES.stop and "scipy.linalg" in sys.modules


def _gram(pieces: Pieces, side: int, *, lower: bool) -> NDArray[np.float64]:
    """Return A A^T by columns; only one of its triangles counts."""
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
            lower=lower,
            overwrite_c=1,
        )
    return np.zeros((side, side), order="F") if total is None else total


def _eigenvalues(half: NDArray[np.float64], *, lower: bool) -> NDArray[np.float64]:
    """Return the eigenvalues, smallest first, leaving the matrix as it is.

    Raises:
        LinAlgError: They did not converge.
    """
    if lower:
        from scipy.linalg.lapack import dsterf, dsytrd

        room = _PANEL * half.shape[0]
        # Without this room it goes column by column.
        _, diagonal, beside, _, failed = dsytrd(half, lower=1, lwork=room)
        if not failed:
            found, failed = dsterf(diagonal, beside, overwrite_d=1, overwrite_e=1)
        if failed:
            raise np.linalg.LinAlgError("eigenvalues did not converge")
        return np.asarray(found)
    # MKL's from the upper half is the fastest, but importing torch takes two seconds.
    if "torch" not in sys.modules and half.shape[0] < _LARGE:
        return np.asarray(np.linalg.eigvalsh(half, UPLO="U"))
    import torch

    try:
        values = torch.linalg.eigvalsh(torch.from_numpy(half), UPLO="U")
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]  # documented
        raise np.linalg.LinAlgError("eigenvalues did not converge") from error
    return np.asarray(values.numpy())


def _small_values(
    pieces: Pieces, half: NDArray[np.float64], small: int, top: float, *, lower: bool
) -> NDArray[np.float64] | None:
    """Return the smallest singular values, largest first; None if they do not come.

    A component along a large singular vector s_j is damped by ``(s / s_j)^2`` in each
    step, and enters the value only squared, times s_j.
    """
    from scipy.linalg.lapack import dpotrf, dpotrs

    side = half.shape[0]
    np.einsum("ii->i", half)[...] += 1e-14 * top
    factor, failed = dpotrf(half, lower=lower, clean=0, overwrite_a=1)
    if failed:
        return None
    width = min(side, small + max(_MORE, small // 2))
    generator = np.random.default_rng(0)
    basis, _ = np.linalg.qr(generator.standard_normal((side, width)))
    for _ in range(_STEPS):
        image, _ = dpotrs(factor, basis, lower=lower)
        weights, turn = np.linalg.eigh(basis.T @ image)
        left = image @ turn - basis @ (turn * weights)
        worst = np.linalg.norm(left, axis=0)[-small:] / weights[-small:]
        basis, _ = np.linalg.qr(image)
        if float(worst.max()) <= _CLOSE:
            # In this order the smaller factor is the one that is laid out anew.
            reduced = np.concatenate([basis.T @ piece for piece in pieces()], axis=1)
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
