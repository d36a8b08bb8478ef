"""Bootstrap of least squares: coefficients of many resamples by one matrix product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["bootstrap", "percentile_interval", "resampled_coefficients"]

#: Counts that are held at once; a block of them stays in the cache.
_BLOCK = 1 << 16
#: Share of the largest possible determinant below which a resample has no unique fit.
_SINGULAR = 1e-10


def bootstrap(
    design: NDArray[np.float64],
    response: NDArray[np.float64],
    resamples: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return least-squares coefficients of resampled rows, (resamples, columns).

    Rows are drawn with replacement (Efron (1979), "Bootstrap methods: another look at
    the jackknife", section 7, pairs). A resample whose rows leave the coefficients
    undetermined is NaN.

    Args:
        design: (n, columns), of full column rank.
        response: (n,).
        resamples: How many.
        seed: The same seed gives the same resamples.
    """
    n = len(response)
    products, triangle = _whitened(design, response)
    sums = [
        counts @ products
        for counts in _drawn(n, resamples, np.random.default_rng(seed))
    ]
    return _solved(np.concatenate(sums), triangle)


def _drawn(
    n: int, resamples: int, generator: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Iterate over blocks of counts (block, n): how often each row is drawn."""
    size = max(1, _BLOCK // n)
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        # Numbers of 32 bits cost half of what those of 64 do.
        drawn = generator.integers(0, n, (rows, n), dtype=np.int32)
        drawn += (n * np.arange(rows, dtype=np.int32))[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n)
        yield counts.reshape(rows, n).astype(np.float64)


def resampled_coefficients(
    design: NDArray[np.float64],
    response: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return weighted least-squares coefficients for many weightings, (b, columns).

    The normal equations of all weightings are one product of ``counts`` with the
    products of the columns of each row. The design is made orthonormal first, so that
    they are as well conditioned as the resamples are.

    Args:
        design: (n, columns), of full column rank.
        response: (n,).
        counts: (b, n), how often each row counts.

    Returns:
        NaN where the weighted rows leave the coefficients undetermined.
    """
    products, triangle = _whitened(design, response)
    return _solved(counts @ products, triangle)


def _whitened(
    design: NDArray[np.float64], response: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, by row, the packed normal matrix and right side, and what undoes it."""
    basis, triangle = np.linalg.qr(design)
    first, second = np.triu_indices(design.shape[1])
    packed = basis[:, first] * basis[:, second]
    return np.hstack([packed, basis * response[:, None]]), triangle


def _solved(
    sums: NDArray[np.float64], triangle: NDArray[np.float64]
) -> NDArray[np.float64]:
    columns = len(triangle)
    first, second = np.triu_indices(columns)
    packed = len(first)
    normal = np.empty((len(sums), columns, columns))
    normal[:, first, second] = normal[:, second, first] = sums[:, :packed]
    singular = ~_regular(normal)
    normal[singular] = np.eye(columns)
    solved = np.linalg.solve(normal, sums[:, packed:, None])[..., 0]
    found: NDArray[np.float64] = np.linalg.solve(triangle, solved.T).T
    found[singular] = np.nan
    return found


def _regular(normal: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which matrices are well away from singular; Hadamard's bound is the scale."""
    diagonal = np.diagonal(normal, axis1=1, axis2=2).prod(axis=1)
    return np.asarray(np.linalg.det(normal) > _SINGULAR * diagonal)


def percentile_interval(
    draws: NDArray[np.float64], level: float
) -> tuple[float, float]:
    """Return the central interval of resampled values, NaN ones apart.

    Args:
        draws: (resamples,).
        level: Share inside.

    Returns:
        Two NaN where fewer than half of the resamples have a value.
    """
    known = draws[np.isfinite(draws)]
    if len(known) < max(2, len(draws) / 2):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
