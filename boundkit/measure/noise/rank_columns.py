"""The columns of one layer about its rank and about how it has moved."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.noise import jitter, low_rank
from boundkit.measure.noise.columns import Columns, absent, estimated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.measure.noise.columns import Training
    from boundkit.types import Layer, Network

__all__ = ["movement_columns", "rank_columns"]

_UNKNOWN = "how often the weight is applied is not known"


def rank_columns(
    layer: Layer,
    values: NDArray[np.float64],
    patches: int | None,
    training: Training,
) -> Columns:
    """Return how close a weight is to the ranks that theory speaks of.

    Args:
        layer: Its kind says where the outputs are.
        values: Its numbers.
        patches: P, the largest rank of one sample's gradient, or None.
        training: Batch size, learning rate and weight decay.
    """
    matrix = low_rank.matrix(layer, values)
    names = ("distance_to_rank_p", "distance_to_rank_2p", "s3_over_s1", "stable_rank")
    found: dict[str, float | None] = {"patches": patches, **dict.fromkeys(names)}
    reasons: dict[str, str] = {}
    try:
        s = low_rank.spectrum(matrix)
    except NotApplicable as error:
        reasons |= dict.fromkeys(names, str(error))
    else:
        found["stable_rank"] = float(np.square(s / s[0]).sum())
        if s.size > 2:
            found["s3_over_s1"] = float(s[2] / s[0])
        else:
            reasons["s3_over_s1"] = f"there are only {s.size} singular values"
        for name, rank in (("p", patches), ("2p", patches and 2 * patches)):
            column = f"distance_to_rank_{name}"
            if rank is None:
                reasons[column] = _UNKNOWN
            else:
                found[column] = low_rank.distance_to_rank(s, rank)
                if rank >= s.size:
                    reasons[column] = f"no rank exceeds {s.size}, so this says nothing"
    if patches is None:
        reasons["patches"] = _UNKNOWN
    return Columns(found, reasons) | _bound(min(matrix.shape), patches, training)


def _bound(side: int, patches: int | None, training: Training) -> Columns:
    mu, lam = training.learning_rate, training.weight_decay
    if mu is None or lam is None:
        return absent(("rank_bound",), "needs the learning rate and the weight decay")
    if lam == 0:
        return absent(("rank_bound",), "without weight decay nothing is forgotten")
    if patches is None:
        return absent(("rank_bound",), _UNKNOWN)
    rank = low_rank.rank_bound(mu, lam, training.batch, patches).rank
    why = f"no rank exceeds {side}, so this says nothing"
    return Columns({"rank_bound": rank}, {"rank_bound": why} if rank >= side else {})


def movement_columns(
    layer: Layer,
    values: NDArray[np.float64],
    patches: int | None,
    earlier: Network | None,
    training: Training,
) -> Columns:
    """Return how a weight has moved since an earlier checkpoint.

    With ``q = (1 - 2 mu lam)^n``, SGD leaves ``W_T = q W_{T-n} + R`` with R of rank at
    most n B P: ``update_rank`` counts singular values of R above 1e-3 of the largest,
    ``update_rank_limit`` is n B P, and ``update_rank_distance`` is
    ``q ||W_{T-n}|| / ||W_T||``, which ``W_T / ||W_T||`` is within of that rank.

    Args:
        layer: Of the later checkpoint.
        values: Its numbers.
        patches: P, or None.
        earlier: The earlier checkpoint, or None.
        training: Batch size, learning rate, weight decay, and steps in between.

    Raises:
        UsageError: The earlier checkpoint is of another network.
    """
    names = ("update_rank", "update_rank_limit", "update_rank_distance")
    if earlier is None:
        columns = ("weight_jitter", *names)
        why = "needs an earlier checkpoint"
        return absent(columns, why)
    before = jitter.earlier_weight(layer, earlier)
    moved = jitter.moved(before, values)
    start = estimated({"weight_jitter": moved}, "a weight is zero or not finite")
    mu, lam, steps = training.learning_rate, training.weight_decay, training.steps
    if mu is None or lam is None or steps is None:
        why = "needs the learning rate, the weight decay and the steps in between"
        return start | absent(names, why)
    shrink = math.exp(steps * math.log1p(-2 * mu * lam))
    size = float(np.linalg.norm(values))
    distance = shrink * float(np.linalg.norm(before)) / size if size else math.nan
    found: dict[str, float | None] = {
        "update_rank": None,
        "update_rank_limit": None
        if patches is None
        else steps * training.batch * patches,
        "update_rank_distance": distance,
    }
    reasons = {}
    if patches is None:
        reasons["update_rank_limit"] = _UNKNOWN
    try:
        s = low_rank.spectrum(low_rank.matrix(layer, values - shrink * before))
        found["update_rank"] = int((s > 1e-3 * s[0]).sum())
    except NotApplicable as error:
        reasons["update_rank"] = f"of the update: {error}"
    return start | Columns(found, reasons)
