"""Singular values of the filter matrix of each layer, and what is read off them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.numerics.blocks import array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.types import Layer

__all__ = ["BUDGET", "columns", "filter_matrix", "singular_values"]

#: Flops of a Gram matrix above which the spectrum is not computed: about a second.
BUDGET = 1e11
#: Smaller sides up to this use the SVD itself, which is exact for small values too.
_SVD_SIDE = 400


def filter_matrix(layer: Layer) -> NDArray[np.float64]:
    """Return the weight as (outputs, rest), float64.

    Raises:
        NotApplicable: The numbers cannot be read.
    """
    values = np.asarray(array(layer.weight), np.float64)
    if layer.kind.startswith("conv_transpose"):
        values = np.moveaxis(values, 1, 0)
    return values.reshape(values.shape[0], -1)


def singular_values(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the singular values, largest first, relative error 1e-12 for the largest.

    Beyond a side of 400 they come from the Gram matrix in float64: a value s is then
    known to about ``eps (s_1 / s)^2`` relative, and those below ``1e-7 s_1`` are zero.

    Args:
        matrix: (m, n), finite.
    """
    top = float(np.max(np.abs(matrix), initial=0.0))
    if top == 0:
        return np.zeros(min(matrix.shape))
    wide = (matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T) / top
    if wide.shape[0] <= _SVD_SIDE:
        return np.asarray(np.linalg.svd(wide, compute_uv=False) * top)
    squares = np.linalg.eigvalsh(wide @ wide.T)[::-1]
    floor = squares[0] * 1e-14
    return np.asarray(top * np.sqrt(np.where(squares > floor, squares, 0.0)))


def columns(
    layer: Layer, spectrum: list[float] | None = None
) -> dict[str, float | None]:
    """Return the spectral columns of one layer.

    Args:
        layer: Its weight is read once.
        spectrum: Its singular values, largest first, where they are known already.

    Returns:
        ``spectral_norm`` s_1, ``stable_rank`` sum s^2 / s_1^2, ``effective_rank``
        exp of the entropy of s^2 / sum s^2, ``numerical_rank`` number of
        s > 1e-3 s_1, ``participation_ratio`` (sum s^2)^2 / sum s^4, ``s3_over_s1``,
        ``nuclear_norm`` sum s, ``condition`` s_1 / s_min, ``theorem7_factor``
        sqrt(numerical rank / smaller side), a heuristic: Xu et al. (2023), Theorem 7,
        is a ratio at fixed spectral norm and must not be multiplied into rho.

    Raises:
        NotApplicable: The matrix is empty, too large, not finite, or cannot be read.
    """
    if spectrum is not None:
        return _columns(spectrum)
    rows = layer.weight.shape[0]
    rest = layer.weight.numel // max(rows, 1)
    if layer.kind.startswith("conv_transpose"):
        rows, rest = layer.weight.shape[1], layer.weight.numel // layer.weight.shape[1]
    if 2.0 * min(rows, rest) ** 2 * max(rows, rest) > BUDGET:
        raise NotApplicable(f"a {rows} x {rest} spectrum takes too long")
    matrix = filter_matrix(layer)
    if not np.all(np.isfinite(matrix)):
        raise NotApplicable("not finite")
    s = singular_values(matrix).tolist()
    if not s or s[0] == 0:
        raise NotApplicable("a zero matrix has no spectrum to speak of")
    return _columns(s)


def _columns(s: list[float]) -> dict[str, float | None]:
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
        "condition": 1 / unit[-1] if unit[-1] > 1e-14 else None,
        "theorem7_factor": math.sqrt(rank / len(s)),
    }
