"""Singular values of the filter matrix of each layer, and what is read off them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.power_law import power_law
from boundkit.numerics.gram import exponent_of, gram_largest, gram_singular_values
from boundkit.numerics.matrix_pieces import column_pieces, filter_view, row_pieces
from boundkit.numerics.norms import frobenius_norm
from boundkit.numerics.top_singular import top_singular_values

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
    "columns",
    "filter_matrix",
    "layer_spectrum",
    "singular_values",
    "spectral_columns",
    "thinned",
]

#: How much of a spectrum: all of it, its top, nothing, or all where that takes seconds.
Extent = Literal["auto", "full", "top", "none"]

#: Flops of a Gram matrix above which "auto" computes the top only: about a second.
BUDGET = 1e11
#: Relative size down to which singular values enter fits.
RELIABLE = 1e-5
#: Elements up to which a decomposition is as fast as anything else.
_TINY = 2048
#: Smaller side up to which all eigenvalues of the Gram matrix take less than Lanczos.
_NARROW = 128
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
    return np.ldexp(_all_values(unit, 0)[0], exponent)


def _all_values(
    matrix: NDArray[Any], exponent: int
) -> tuple[NDArray[np.float64], float, str]:
    """Return the values of a matrix over ``2**exponent``, how far down, and how."""
    if matrix.size <= _TINY:
        scaled = np.ldexp(matrix.astype(np.float64), -exponent)
        return np.linalg.svd(scaled, compute_uv=False), 2e-9, "svd"
    found = gram_singular_values(column_pieces(matrix, exponent), min(matrix.shape))
    return found.values, found.floor, found.method


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
    if norm is None:
        with np.errstate(invalid="ignore"):
            norm = frobenius_norm(layer.weight)
    if not math.isfinite(norm):
        raise NotApplicable("not finite")
    if norm == 0:
        raise NotApplicable("a zero matrix has no spectrum to speak of")
    matrix = filter_view(layer)
    rows, rest = matrix.shape
    exponent = exponent_of(norm)
    try:
        if not _wants_all(extent, rows, rest):
            return _top_spectrum(matrix, exponent, norm, 1 if extent == "top" else _TOP)
        values, floor, method = _all_values(matrix, exponent)
    except np.linalg.LinAlgError as error:
        raise NotApplicable(f"the eigensolver gave up ({error})") from error
    except MemoryError as error:
        raise NotApplicable(
            f"a {rows} x {rest} spectrum takes too much memory"
        ) from error
    if exponent:
        values = np.ldexp(values, exponent)
    return Spectrum(rows, rest, values, True, floor, norm, method)


def _top_spectrum(
    matrix: NDArray[Any], exponent: int, norm: float, count: int
) -> Spectrum:
    rows, rest = matrix.shape
    side = min(rows, rest)
    if side <= _NARROW:
        values = gram_largest(column_pieces(matrix, exponent), side)[:count]
        values = np.ldexp(values, exponent) if exponent else values
        return Spectrum(rows, rest, values, len(values) == side, 0.0, norm, "gram")
    found = top_singular_values(
        row_pieces(matrix, exponent),
        rest,
        count=min(count, side),
        tolerance=_TOLERANCE,
        # Its fourth power, and that of what is left, are normal in float32 as well.
        single=matrix.dtype.itemsize <= 4 and 1e-3 < norm < 1e9,
    )
    known = int(np.count_nonzero(np.cumprod(found.errors <= _TOLERANCE)))
    if not known:
        raise NotApplicable(
            f"the largest singular value is known to {found.errors[0]:.1e} only after"
            f" {found.reads} steps"
        )
    values = found.values[:known]
    values = np.ldexp(values, exponent) if exponent else values
    return Spectrum(rows, rest, values, known == side, 0.0, norm, "block lanczos")


def columns(
    layer: Layer, spectrum: list[float] | None = None
) -> dict[str, float | None]:
    """Return the spectral columns of one layer; see ``spectral_columns``.

    Args:
        layer: Its weight is read in pieces.
        spectrum: Its singular values, largest first, where they are known already.

    Raises:
        NotApplicable: The matrix is empty, not finite, zero, or cannot be read.
        Unreadable: The bytes of the weight are not there.
    """
    if spectrum is not None:
        return _columns(spectrum, 2e-9)
    return spectral_columns(layer_spectrum(layer))


def spectral_columns(spectrum: Spectrum) -> dict[str, float | None]:
    """Return what the layer table says of a spectrum.

    Returns:
        ``spectral_norm`` s_1, ``stable_rank`` sum s^2 / s_1^2, ``effective_rank``
        exp of the entropy of s^2 / sum s^2, ``numerical_rank`` number of
        s > 1e-3 s_1, ``participation_ratio`` (sum s^2)^2 / sum s^4, ``s3_over_s1``,
        ``nuclear_norm`` sum s, ``condition`` s_1 / s_min, ``alpha`` the exponent of the
        power law that fits the largest s^2 best, ``theorem7_factor``
        sqrt(numerical rank / smaller side), a heuristic: Xu et al. (2023), Theorem 7,
        is a ratio at fixed spectral norm and must not be multiplied into rho. What
        takes the whole spectrum is None where only its top is known, alpha also for
        fewer than 50 values, condition where s_min is below ``floor``.
    """
    if spectrum.complete:
        return _columns(spectrum.values.tolist(), spectrum.floor)
    s = spectrum.values.tolist()
    found: dict[str, float | None] = dict.fromkeys(_columns([1.0], 1.0))
    found["spectral_norm"] = s[0]
    found["stable_rank"] = (spectrum.frobenius / s[0]) ** 2
    found["s3_over_s1"] = s[2] / s[0] if len(s) > 2 else None
    return found


def _columns(s: list[float], floor: float) -> dict[str, float | None]:
    # Lists, for arrays as short as these cost more in calls than in arithmetic.
    unit = [value / s[0] for value in s]
    energy = [value * value for value in unit]
    total = math.fsum(energy)
    shares = [e / total for e in energy]
    entropy = -math.fsum(p * math.log(p) for p in shares if p > 0)
    rank = sum(value > 1e-3 for value in unit)
    return {
        "spectral_norm": s[0],
        "stable_rank": total,
        "effective_rank": math.exp(entropy),
        "numerical_rank": float(rank),
        "participation_ratio": total**2 / math.fsum(e * e for e in energy),
        "s3_over_s1": unit[2] if len(s) > 2 else None,
        "nuclear_norm": math.fsum(s),
        "condition": 1 / unit[-1] if unit[-1] >= floor else None,
        "alpha": _alpha(unit),
        "theorem7_factor": math.sqrt(rank / len(s)),
    }


def _alpha(unit: Sequence[float]) -> float | None:
    if len(unit) < 50:
        return None
    values = np.asarray(unit)
    try:
        return power_law(values[values > RELIABLE] ** 2).alpha
    except NotApplicable:
        return None
