"""How close trained weights are to low rank, and what SGD with weight decay implies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.types import Layer

__all__ = [
    "EPSILON",
    "RankBound",
    "distance_to_rank",
    "matrix",
    "rank_bound",
    "spectrum",
]

#: Relative Frobenius distance that the rank bound is stated for.
EPSILON = 0.01
#: Flops of a Gram matrix above which a spectrum is not computed: about a second.
_BUDGET = 1e11
#: Smaller sides up to this use the SVD itself.
_SVD_SIDE = 400


def matrix(layer: Layer, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a weight as (outputs, rest).

    Args:
        layer: Says where the outputs are.
        values: The weight's numbers.
    """
    if layer.kind.startswith("conv_transpose"):
        values = np.moveaxis(values, 1, 0)
    return values.reshape(values.shape[0], -1)


def spectrum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the singular values of a matrix, largest first.

    Beyond a side of 400 by the Gram matrix in float64, so that values below about
    ``1e-7 s_1`` are not told from 0.

    Args:
        values: (rows, columns).

    Returns:
        (min(rows, columns),) nonnegative.

    Raises:
        NotApplicable: It is not finite, empty or zero, or takes too long.
    """
    rows, columns = values.shape
    if 2.0 * min(rows, columns) ** 2 * max(rows, columns) > _BUDGET:
        raise NotApplicable(f"a {rows} x {columns} spectrum takes too long")
    top = float(np.abs(values).max(initial=0.0))
    if not math.isfinite(top):
        raise NotApplicable("the weight is not finite")
    if top == 0:
        raise NotApplicable("the weight is zero")
    wide = (values if rows <= columns else values.T) / top
    if len(wide) <= _SVD_SIDE:
        return np.asarray(np.linalg.svd(wide, compute_uv=False) * top)
    squares = np.linalg.eigvalsh(wide @ wide.T)[::-1]
    return np.asarray(np.sqrt(squares.clip(min=0.0)) * top)


def distance_to_rank(values: NDArray[np.float64], rank: int) -> float:
    """Return how far ``W / ||W||`` is from the matrices of at most that rank.

    Frobenius norm, by Eckart, Young and Mirsky.

    Args:
        values: (s,) singular values of W, largest first, not all zero.
        rank: At least 0.
    """
    unit = values / values[0]
    tail = float(np.square(unit[rank:]).sum())
    return math.sqrt(tail / float(np.square(unit).sum()))


@dataclass(frozen=True, slots=True)
class RankBound:
    """A rank that trained weights are close to.

    Attributes:
        steps: After how many steps the older weights are forgotten.
        rank: Of the steps since then, at most.
        printed_steps: The number of steps as printed, at least as large.
    """

    steps: int
    rank: int
    printed_steps: int


def rank_bound(
    learning_rate: float,
    weight_decay: float,
    batch: int,
    patches: int,
    epsilon: float = EPSILON,
    ratio: float = 1.0,
) -> RankBound:
    """Return how small a rank SGD with weight decay comes within epsilon of.

    ``W_T = (1 - 2 mu lam)^n W_{T-n} + R`` where R, the sum of n minibatch gradients,
    has rank at most ``n B m_l``; so ``W_T / ||W_T||`` is within
    ``(1 - 2 mu lam)^n ratio`` of such a matrix. Galanti, Siegel, Gupte, Poggio (2022).
    Plain SGD without momentum, regularizer ``lam ||W||^2``, constant mu and lam.

    Args:
        learning_rate: mu.
        weight_decay: lam; half of what torch calls weight_decay.
        batch: B, samples per step.
        patches: m_l, rank of one sample's gradient.
        epsilon: Relative distance in Frobenius norm.
        ratio: ``||W_{T-n}|| / ||W_T||``.

    Raises:
        UsageError: ``2 mu lam`` or epsilon is not in (0, 1), or ratio is not positive.
    """
    decay = 2 * learning_rate * weight_decay
    if not 0 < decay < 1:
        raise UsageError(
            "2 * learning_rate * weight_decay must lie in (0, 1), but is"
            f" {decay:g}; give the values that SGD was run with"
        )
    if not 0 < epsilon < 1:
        raise UsageError(f"epsilon must lie in (0, 1), but got {epsilon:g}")
    if not 0 < ratio < math.inf:
        raise UsageError(f"ratio must be positive and finite, but got {ratio:g}")
    steps = max(0, math.ceil(math.log(ratio / epsilon) / -math.log1p(-decay)))
    printed = math.ceil(math.log(2 / epsilon) / decay)
    return RankBound(steps, steps * batch * patches, printed)
