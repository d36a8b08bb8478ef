"""Diagonal Gaussians over the weights of a network: posterior, prior, and their ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

__all__ = [
    "GRID",
    "Posterior",
    "Prior",
    "best_scales",
    "divergence",
    "grid_counts",
    "grid_scales",
    "group_means",
    "group_sums",
    "log_ratio",
    "nearest_scales",
    "union_nats",
]

#: Least and largest scale of a prior; evenly spaced in logs between them.
GRID = (1e-4, 10.0)


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Independent normals, one per weight.

    Attributes:
        mean: (P,).
        log_scale: (P,) logarithm of each standard deviation.
    """

    mean: torch.Tensor
    log_scale: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """Independent normals around a center that the sample did not choose.

    Attributes:
        center: (P,).
        scales: (G,) standard deviation of each group.
        groups: (P,) group of each weight.
    """

    center: torch.Tensor
    scales: torch.Tensor
    groups: torch.Tensor


def group_means(values: torch.Tensor, groups: torch.Tensor, count: int) -> torch.Tensor:
    """Return the mean of each group.

    Args:
        values: (P,).
        groups: (P,) group of each.
        count: G.

    Returns:
        (G,) of the dtype of the values; 0 for an empty group.
    """
    import torch

    sizes = group_sums(torch.ones_like(values), groups, count)
    return group_sums(values, groups, count) / sizes.clamp(min=1)


def group_sums(values: torch.Tensor, groups: torch.Tensor, count: int) -> torch.Tensor:
    """Return the sum of each group.

    Args:
        values: (P,).
        groups: (P,) group of each.
        count: G.

    Returns:
        (G,) of the dtype of the values.
    """
    return values.new_zeros(count).index_add_(0, groups, values)


def best_scales(
    posterior: Posterior, center: torch.Tensor, groups: torch.Tensor, count: int
) -> torch.Tensor:
    """Return the prior scale of each group that makes the divergence smallest.

    ``lambda_g^2`` is the mean of ``s_i^2 + (m_i - c_i)^2`` over the group.

    Args:
        posterior: (P,) normals.
        center: (P,) of the prior.
        groups: (P,) group of each weight.
        count: G.

    Returns:
        (G,).
    """
    away = (posterior.mean - center).square()
    energy = (2 * posterior.log_scale).exp() + away
    return group_means(energy, groups, count).sqrt()


def grid_counts(sizes: Sequence[int]) -> list[int]:
    """Return how many scales a prior may have in each group.

    Rounding to a grid of step e in logs costs ``N e^2 / 12`` nats on average in a group
    of N weights, and choosing one of ``ln(high/low)/e`` costs their logarithm; e is
    ``sqrt(6/N)`` where the sum is smallest. The sample has no part in it.

    Args:
        sizes: Weights in each group.
    """
    low, high = GRID
    return [math.ceil(math.log(high / low) * math.sqrt(n / 6)) + 2 for n in sizes]


def grid_scales(indices: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Return the scale of each group by its index in the grid.

    Args:
        indices: From 0.
        counts: How many scales each grid has, at least 2.
    """
    low, high = GRID
    pairs = zip(indices, counts, strict=True)
    return [low * (high / low) ** (k / (count - 1)) for k, count in pairs]


def nearest_scales(scales: Sequence[float], counts: Sequence[int]) -> list[int]:
    """Return the index in the grid nearest to the scale of each group, in logs.

    Args:
        scales: Beyond the grid its end is taken.
        counts: How many scales each grid has, at least 2.
    """
    low, high = GRID
    found = []
    for scale, count in zip(scales, counts, strict=True):
        place = math.log(min(max(scale, low), high) / low) / math.log(high / low)
        found.append(round(place * (count - 1)))
    return found


def union_nats(counts: Sequence[int], shifts: int) -> float:
    """Return what the choice of the prior out of its finite family costs.

    Args:
        counts: How many scales the grid of each group has.
        shifts: How many shifts there are to choose from, 1 for no choice.
    """
    return math.fsum(math.log(count) for count in counts) + math.log(shifts)


def divergence(posterior: Posterior, prior: Prior) -> torch.Tensor:
    """Return ``KL(posterior || prior)`` in nats, summed in float64.

    Args:
        posterior: (P,) normals.
        prior: (P,) normals.
    """
    scale = prior.scales.double()[prior.groups]
    spread = (2 * posterior.log_scale.double()).exp() / scale.square()
    away = ((posterior.mean.double() - prior.center.double()) / scale).square()
    return ((spread + away - 1) / 2 - posterior.log_scale.double() + scale.log()).sum()


def log_ratio(h: torch.Tensor, posterior: Posterior, prior: Prior) -> torch.Tensor:
    """Return ``ln (dQ/dP)(h)`` in nats, summed in float64.

    Args:
        h: (P,) weights, as they are stored.
        posterior: (P,) normals Q.
        prior: (P,) normals P.
    """
    scale = prior.scales.double()[prior.groups]
    log_scale = posterior.log_scale.double()
    z = (h.double() - posterior.mean.double()) * (-log_scale).exp()
    w = (h.double() - prior.center.double()) / scale
    return ((w.square() - z.square()) / 2 - log_scale + scale.log()).sum()
