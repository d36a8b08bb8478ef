"""What the search makes small, ``CE + tau KL/n``, and its slopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.numerics.kl_inverse import kl_inverse
from boundkit.posthoc.losses import mistakes, smooth_loss

if TYPE_CHECKING:
    import torch

    from boundkit.posthoc.coordinates import Coordinates

__all__ = ["Slope", "Task", "slope", "weight_of_divergence"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What the posterior is to be good at; tensors on one device.

    Attributes:
        net: The network.
        center: (P,) of the prior.
        groups: (P,) group of each weight.
        x: (m, ...) inputs.
        labels: (m,).
        n: Size of the whole sample.
        extra: Nats beside the divergence.
        scale: Factor on the outputs in the smooth loss.
    """

    net: Coordinates
    center: torch.Tensor
    groups: torch.Tensor
    x: torch.Tensor
    labels: torch.Tensor
    n: int
    extra: float
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """Gradient of the smooth loss of one batch, and what the batch was like.

    Attributes:
        mean: (P,) with respect to the means.
        log_scale: (P,) with respect to the log scales.
        loss: Smooth loss.
        wrong: Error rate.
    """

    mean: torch.Tensor
    log_scale: torch.Tensor
    loss: torch.Tensor
    wrong: torch.Tensor


def weight_of_divergence(q: float, cost: float, loss: float) -> float:
    """Return tau: what a nat per sample is worth in units of the smooth loss.

    Args:
        q: Error rate under the posterior.
        cost: Right side of the bound, nats per sample.
        loss: Smooth loss that belongs to q.
    """
    q = min(max(q, 1e-4), 0.99)
    bound = min(max(kl_inverse(q, max(cost, 0.0)), q + 1e-6), 1 - 1e-6)
    slope = math.log(bound * (1 - q) / (q * (1 - bound)))
    return max(loss, 1e-3) / (q * slope)


def slope(
    task: Task,
    mean: torch.Tensor,
    log_scale: torch.Tensor,
    batch: int,
    generator: torch.Generator | None,
) -> Slope:
    """Return slopes of the smooth loss, estimated from one draw and its mirror image.

    Half of the batch sees the mean plus the noise, half minus it, so that in the mean of
    both the noise cancels to first order.

    Args:
        task: What the posterior is to be good at.
        mean: (P,).
        log_scale: (P,).
        batch: Samples.
        generator: Of batches and noise, on the device; None for torch's own.
    """
    import torch

    where = mean.device
    rows = torch.randint(len(task.x), (batch,), generator=generator, device=where)
    noise = torch.randn(mean.shape, generator=generator, device=where)
    moved = log_scale.exp() * noise
    total, signed = torch.zeros_like(mean), torch.zeros_like(mean)
    losses, wrong = [], []
    for sign, part in zip((1.0, -1.0), rows.chunk(2), strict=True):
        leaf = torch.add(mean, moved, alpha=sign).requires_grad_()
        labels = task.labels.index_select(0, part)
        outputs = task.net.outputs(leaf, task.x.index_select(0, part))
        loss = smooth_loss(outputs, labels, task.scale)
        (own,) = torch.autograd.grad(loss, leaf)
        total.add_(own, alpha=0.5)
        signed.add_(own, alpha=sign / 2)
        losses.append(loss.detach())
        wrong.append(mistakes(outputs.detach(), labels, 0.0).float().mean())
    mean_loss, mean_wrong = torch.stack(losses).mean(), torch.stack(wrong).mean()
    return Slope(total, signed.mul_(moved), mean_loss, mean_wrong)
