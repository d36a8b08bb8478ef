r"""Steps of SGD with momentum in three parametrizations of a layer.

Plain weights W move freely. A net :math:`\rho f_V` has unit Frobenius norms V in all layers
and rho as a factor on top (P1, figure 1b). There the gradient flow on the sphere,
:math:`\dot V = -(g - \langle g, V\rangle V)` (P1 eq. 2 with the multiplier of its Lemma 2),
is followed in two ways:

* Lagrange normalization: the step lies in the tangent space, then V is scaled back to
  norm 1.
* weight normalization (Salimans, Kingma 2016) with frozen g = 1: V = v / |v|, and v moves
  against its gradient, (g - <g, V> V) / |v|. Steps are orthogonal to v, so |v| only grows,
  by rate^2 |g|^2 a step, and slows later steps.

From |v| = 1 both agree in the first step and differ by O(rate) at a fixed time
rate x steps.

P1: Xu, Rangamani, Liao, Galanti, Poggio (2023).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["lagrange_step", "plain_step", "tangent", "unit", "weight_step"]


def unit(weight: Tensor) -> Tensor:
    """Return a weight over its Frobenius norm."""
    norm: Tensor = torch.linalg.vector_norm(weight)
    return weight / norm


def tangent(vector: Tensor, normal: Tensor) -> Tensor:
    """Return a vector without its part along a unit vector of the same shape."""
    return vector - (vector * normal).sum() * normal


def plain_step(
    weight: Tensor, velocity: Tensor, gradient: Tensor, rate: float, momentum: float
) -> tuple[Tensor, Tensor]:
    """Return weight and velocity after a step, as torch.optim.SGD takes it.

    Args:
        weight: Of any shape.
        velocity: Sum of earlier gradients, decayed by ``momentum`` a step.
        gradient: Of the loss, decay included.
        rate: Learning rate.
        momentum: From 0, below 1.
    """
    moved = momentum * velocity + gradient
    return weight - rate * moved, moved


def lagrange_step(
    weight: Tensor, velocity: Tensor, gradient: Tensor, rate: float, momentum: float
) -> tuple[Tensor, Tensor]:
    """Return a weight of unit Frobenius norm and its velocity after a step.

    Args:
        weight: Of unit norm.
        velocity: Tangent to the sphere at an earlier weight.
        gradient: Of the loss.
        rate: Learning rate.
        momentum: From 0, below 1.
    """
    moved = tangent(momentum * velocity + gradient, weight)
    return unit(weight - rate * moved), moved


def weight_step(
    weight: Tensor,
    velocity: Tensor,
    length: Tensor,
    gradient: Tensor,
    rate: float,
    momentum: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return V = v / |v|, the velocity of v, and |v| after a step of v.

    Args:
        weight: V, of unit norm.
        velocity: Of v.
        length: |v|, a scalar.
        gradient: Of the loss with respect to V.
        rate: Learning rate.
        momentum: From 0, below 1.
    """
    moved = momentum * velocity + tangent(gradient, weight) / length
    free = length * weight - rate * moved
    norm = torch.linalg.vector_norm(free)
    return free / norm, moved, norm
