"""Pairs of nets: which hyperparameters tell them apart, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "Environment",
    "Pairs",
    "environments_of",
    "hoeffding_weights",
    "pairs_of",
    "small_sets",
]

#: Weight below which a pair says nothing.
_COIN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """All pairs i < j of nets; (pairs,) each, or as said.

    Attributes:
        first: Number of one net.
        second: Number of the other.
        gap: Sign of the difference of their errors.
        weight: How far the sign is to be trusted, 0 to 1.
        codes: Setting of each net: number of its value, (nets, hyperparameters).
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    gap: NDArray[np.int8]
    weight: NDArray[np.float64]
    codes: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Environment:
    """Pairs of two settings that differ in one hyperparameter.

    Attributes:
        hyperparameter: Its number.
        pairs: Numbers of the pairs.
        effective: Effective number of pairs, (sum w)^2 / sum w^2; 0 where all weights
            are.
    """

    hyperparameter: int
    pairs: NDArray[np.intp]
    effective: float


def hoeffding_weights(
    differences: NDArray[np.float64], test_size: int
) -> NDArray[np.float64]:
    """Return how far the order of two measured errors is to be trusted.

    By Hoeffding's inequality each error is off by less than half the difference with
    probability at least ``1 - 2 exp(-2 n (|d|/2)^2)``; the weight is the square of that,
    for both, less 1/2 and no less than 0 (Dziugaite et al. (2020), "In search of robust
    measures of generalization", section 4, and the authors' code).

    Args:
        differences: Of two errors, each measured on ``test_size`` samples.
        test_size: Test samples.

    Returns:
        At most 1/2.
    """
    one = 1 - 2 * np.exp(-2 * test_size * (np.abs(differences) / 2) ** 2)
    found: NDArray[np.float64] = np.maximum(np.maximum(one, 0.0) ** 2 - _COIN, 0.0)
    return found


def pairs_of(
    errors: NDArray[np.float64], codes: NDArray[np.intp], test_size: int | None
) -> Pairs:
    """Return all pairs of nets.

    Args:
        errors: (nets,).
        codes: (nets, hyperparameters), numbers of values.
        test_size: Samples that each error was measured on; None to trust every
            difference.
    """
    first, second = np.triu_indices(len(errors), 1)
    differences = errors[first] - errors[second]
    if test_size is None:
        weight = (differences != 0).astype(np.float64)
    else:
        weight = hoeffding_weights(differences, test_size)
    return Pairs(first, second, np.sign(differences).astype(np.int8), weight, codes)


def environments_of(pairs: Pairs) -> tuple[Environment, ...]:
    """Return the pairs of settings that differ in one hyperparameter, repeats together.

    Args:
        pairs: Of all nets.
    """
    differ = pairs.codes[pairs.first] != pairs.codes[pairs.second]
    coupled = np.flatnonzero(differ.sum(1) == 1)
    if not len(coupled):
        return ()
    which = differ[coupled].argmax(1)
    _, settings = np.unique(pairs.codes, axis=0, return_inverse=True)
    settings = settings.ravel()
    ends = np.sort(
        np.column_stack([
            settings[pairs.first[coupled]],
            settings[pairs.second[coupled]],
        ]),
        axis=1,
    )
    _, members = np.unique(ends, axis=0, return_inverse=True)
    order = np.argsort(members.ravel(), kind="stable")
    edges = np.flatnonzero(np.diff(members.ravel()[order])) + 1
    return tuple(
        Environment(
            int(which[part[0]]), coupled[part], _effective(pairs.weight[coupled[part]])
        )
        for part in np.split(order, edges)
    )


def _effective(weights: NDArray[np.float64]) -> float:
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def small_sets(count: int) -> Sequence[tuple[int, ...]]:
    """Return the sets of at most two out of ``count`` numbers.

    Args:
        count: How many there are.
    """
    return [s for size in range(3) for s in combinations(range(count), size)]
