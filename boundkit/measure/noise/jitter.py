"""How much late checkpoints of one run differ: in their weights and in their margins."""

from __future__ import annotations

import math
from itertools import pairwise, starmap
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import UsageError
from boundkit.numerics.blocks import array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.types import Layer, Network

__all__ = [
    "earlier_weight",
    "margin_jitter",
    "moved",
    "rank_correlation",
    "weight_jitter",
]


def earlier_weight(layer: Layer, earlier: Network) -> NDArray[np.float64]:
    """Return the weight that a layer had in an earlier checkpoint.

    Args:
        layer: Of the later checkpoint.
        earlier: The earlier one.

    Raises:
        UsageError: It has no such layer, or one of another shape.
        Unreadable: The bytes of a weight are not there.
    """
    found = next((x.weight for x in earlier.layers if x.name == layer.name), None)
    if found is None or found.shape != layer.weight.shape:
        has = "nothing" if found is None else f"shape {found.shape}"
        raise UsageError(
            f"the earlier checkpoint must hold {layer.name!r} of shape"
            f" {layer.weight.shape}, but has {has} there; give a checkpoint of the same"
            " run"
        )
    return np.asarray(array(found), np.float64)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    top = float(np.abs(values).max(initial=0.0))
    if top == 0 or not math.isfinite(top):
        return np.full_like(values, np.nan)
    scaled = values / top
    return np.asarray(scaled / math.sqrt(float(np.square(scaled).sum())))


def moved(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return ``||V' - V||`` of two weights over their norms; NaN if one is zero.

    Args:
        before: W.
        after: W', of the same shape.
    """
    return float(np.linalg.norm((_unit(after) - _unit(before)).ravel()))


def weight_jitter(networks: Sequence[Network]) -> dict[str, tuple[float, ...]]:
    """Return how far each normalized layer moves from one checkpoint to the next.

    ``||V(t+1) - V(t)||`` with ``V = W / ||W||``, so in [0, 2]. Xu et al. (2023),
    section 6.2: with weight decay it stays above 0 however long SGD runs.

    Args:
        networks: Two or more checkpoints of one run, in order.

    Returns:
        Counted layer -> one number per step; NaN where a weight is zero or not finite.

    Raises:
        UsageError: Fewer than two, or they are of different networks.
        Unreadable: The bytes of a weight are not there.
    """
    if len(networks) < 2:
        raise UsageError(
            f"jitter needs at least two checkpoints, but got {len(networks)}"
        )
    found: dict[str, tuple[float, ...]] = {}
    for layer in networks[-1].layers:
        if layer.counted:
            weights = (earlier_weight(layer, network) for network in networks)
            found[layer.name] = tuple(starmap(moved, pairwise(weights)))
    return found


def margin_jitter(margins: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Return how much the margins of a sample vary over checkpoints.

    Args:
        margins: One (n,) array per checkpoint, of the same samples in the same order.

    Returns:
        The root mean square over samples of the standard deviation over checkpoints
        (ddof = 1), and the same over the mean absolute margin.

    Raises:
        UsageError: Fewer than two, or of different lengths.
    """
    sizes = {len(one) for one in margins}
    if len(margins) < 2 or len(sizes) != 1:
        raise UsageError(
            "margin jitter needs the same samples at two checkpoints or more, but got"
            f" {len(margins)} checkpoints with {sorted(sizes)} samples"
        )
    stacked = np.stack([np.asarray(one, np.float64) for one in margins])
    spread = math.sqrt(float(stacked.var(axis=0, ddof=1).mean()))
    size = float(np.abs(stacked).mean())
    return spread, spread / size if size > 0 else math.nan


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 0 on, ties sharing their mean."""
    below = (values[:, None] > values).sum(1)
    same = (values[:, None] == values).sum(1)
    return np.asarray(below + (same - 1) / 2)


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's rank correlation; NaN for fewer than three pairs or no spread.

    Pairs with a NaN are left out; ties share their mean rank.

    Args:
        first: Numbers.
        second: As many.
    """
    pairs = np.array([first, second], np.float64)
    pairs = pairs[:, ~np.isnan(pairs).any(0)]
    if pairs.shape[1] < 3:
        return math.nan
    one, two = (_ranks(row) - (pairs.shape[1] - 1) / 2 for row in pairs)
    size = math.sqrt(float(one @ one) * float(two @ two))
    return float(one @ two) / size if size > 0 else math.nan
