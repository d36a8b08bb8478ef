"""Covariances as products of triangles, where they are far enough from singular."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from boundkit.measure.collapse.geometry import Numbers

__all__ = ["cholesky"]

#: Reciprocal condition number below which a factorization is not trusted.
_POOR = 1e-10


def cholesky(matrix: Numbers) -> Numbers | None:
    """Return the lower triangle L with ``L L^T = matrix``, or None near singular ones.

    Above the diagonal stands what is not defined.

    Args:
        matrix: (p, p) symmetric.
    """
    from scipy.linalg.lapack import dpocon, dpotrf

    if not len(matrix):
        return None
    # A symmetric matrix is its own transpose: no copy into LAPACK's order is needed.
    found: tuple[Any, int] = dpotrf(matrix.T, lower=True)
    factor, failed = found
    if failed or dpocon(factor, np.linalg.norm(matrix, 1), uplo="L")[0] < _POOR:
        return None
    return np.asarray(factor)
