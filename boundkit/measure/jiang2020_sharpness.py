"""Sharpness measures of Jiang et al. (2020), in the constants of Dziugaite et al. (2020).

A measure ``v`` is reported as ``sqrt(v / n)``, ``n`` being the sample size; only its
order among networks means something.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from boundkit.measure.largest_noise import EPSILON
from boundkit.numerics.blocks import array
from boundkit.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from boundkit.types import Network, Sharpness, StoredTensor

__all__ = ["changes", "sharpness_measures"]

_SOURCE = "Jiang et al. (2020)"


def _pac_bayes(square: float, n: int, sigma: float) -> float:
    return square / (4 * sigma**2) + math.log(n / sigma) + 10


def _magnitude(
    square: float, moved: Sequence[NDArray[np.float64]], n: int, sigma: float
) -> float:
    size = sum(d.size for d in moved)
    above = EPSILON**2 + (sigma**2 + 1) * square / size
    below = math.fsum(
        float(np.log(EPSILON**2 + sigma**2 * np.square(d)).sum()) for d in moved
    )
    return (size * math.log(above) - below) / 4 + math.log(n / sigma) + 10


def _flatness(sigma: float) -> float:
    return 1 / sigma**2


def _measurement(
    name: str, measure: Callable[[float], float], found: Sharpness, n: int
) -> Measurement:
    def final(sigma: float) -> float:
        value = measure(sigma)
        return math.sqrt(value / n) if value >= 0 else math.nan

    value, stderr = final(found.sigma), None
    if found.spread is not None:
        factor = math.exp(min(found.spread, 1.0))
        change = abs(final(found.sigma * factor) - final(found.sigma / factor)) / 2
        stderr = change if math.isfinite(change) else None
    return Measurement(
        f"jiang2020.{name}",
        value if math.isfinite(value) else None,
        "1",
        _SOURCE,
        stderr=stderr,
    )


def sharpness_measures(
    absolute: Sharpness | None,
    relative: Sharpness | None,
    square: float,
    moved: Sequence[NDArray[np.float64]] | None,
    n: int,
) -> tuple[Measurement, ...]:
    """Return every PAC-Bayes and flatness measure whose inputs are known.

    Measures 48, 49, 53, 56, 57 and 61 of Jiang et al. (2020). Both magnitude-aware
    bounds have the change since initialization in their denominator.

    Args:
        absolute: The largest noise of one size for all weights, or None.
        relative: The largest noise relative to each weight, or None.
        square: Squared Euclidean norm of all weights, biases left out.
        moved: Change of each weight since initialization, or None.
        n: Sample size.

    Returns:
        Each with the standard error that few draws of the noise leave.
    """
    away = (
        None if moved is None else math.fsum(float(np.square(d).sum()) for d in moved)
    )
    found: list[Measurement] = []
    if absolute is not None:
        one = {"orig": square} | ({} if away is None else {"init": away})
        found += [
            _measurement(f"pacbayes_{k}", partial(_pac_bayes, v, n), absolute, n)
            for k, v in one.items()
        ]
        found.append(_measurement("pacbayes_flatness", _flatness, absolute, n))
    if relative is not None:
        if moved is not None and away is not None:
            found += [
                _measurement(
                    f"pacbayes_mag_{k}", partial(_magnitude, v, moved, n), relative, n
                )
                for k, v in (("orig", square), ("init", away))
            ]
        found.append(_measurement("pacbayes_mag_flatness", _flatness, relative, n))
    return tuple(found)


def changes(
    network: Network, start: Mapping[str, StoredTensor]
) -> list[NDArray[np.float64]]:
    """Return how each counted weight has changed, entry by entry.

    Args:
        network: As the bounds see it.
        start: Layer -> its weight before training, after the same passes.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    return [
        np.subtract(array(x.weight), array(start[x.name]), dtype=np.float64).ravel()
        for x in network.layers
        if x.counted
    ]
