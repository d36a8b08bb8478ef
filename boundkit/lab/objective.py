"""Losses of batches, and the part of them that decays weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.lab.recipe import Coding, Loss

__all__ = ["decay_term", "margins", "mean_loss", "targets"]


def targets(labels: Tensor, classes: int, loss: Loss, coding: Coding) -> Tensor:
    """Return what the outputs are held against.

    Args:
        labels: (n,) classes, int64.
        classes: C.
        loss: ``"cross-entropy"`` takes the classes as they are.
        coding: Of the square loss.

    Returns:
        (n,) classes, or (n, outputs) float32.
    """
    if loss == "cross-entropy":
        return labels
    if coding == "signed":
        return (2 * labels - 1).float().unsqueeze(1)
    hot = functional.one_hot(labels, classes).float()
    return hot if coding == "one-hot" else (classes * hot - 1) / (classes - 1)


def mean_loss(scores: Tensor, wanted: Tensor, loss: Loss) -> Tensor:
    """Return the mean over samples: squares summed over outputs, or cross-entropy.

    Xu, Rangamani, Liao, Galanti, Poggio (2023), equation (1) without its constraints.

    Args:
        scores: (b, outputs).
        wanted: Their targets.
        loss: Which.
    """
    if loss == "cross-entropy":
        return functional.cross_entropy(scores, wanted)
    return (scores - wanted).square().sum(1).mean()


def decay_term(
    weights: Sequence[Tensor], rho: Tensor, decay: float, *, on_rho: bool
) -> Tensor:
    """Return ``decay rho^2``, or ``decay / 2`` times the squares of the weights.

    Args:
        weights: Of all layers, where each of them decays.
        rho: Product of norms.
        decay: lam.
        on_rho: Which of the two.
    """
    if on_rho:
        return decay * rho.square()
    return decay / 2 * torch.stack([w.double().square().sum() for w in weights]).sum()


def margins(scores: Tensor, labels: Tensor) -> Tensor:
    """Return ``y f``, or ``f_y - max of the others``, (b,) float64.

    Args:
        scores: (b, 1) or (b, C).
        labels: (b,) classes; of one output, 0 stands for -1.
    """
    wide = scores.double()
    if wide.shape[1] == 1:
        return wide.squeeze(1) * (2 * labels - 1)
    own = labels.unsqueeze(1)
    others = wide.scatter(1, own, -torch.inf).amax(1)
    return wide.gather(1, own).squeeze(1) - others
