"""How far an image must be moved before a net changes its mind.

Moosavi-Dezfooli, Fawzi, Frossard (2016), "DeepFool: a simple and accurate method to fool
deep neural networks", algorithm 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["perturbations", "robustness"]

#: The last step goes this much too far, so that the decision does change.
OVERSHOOT = 0.02
STEPS = 50


def perturbations(
    net: nn.Module, x: Tensor, *, steps: int = STEPS, overshoot: float = OVERSHOOT
) -> tuple[Tensor, Tensor]:
    """Return perturbations (n, ...) that change a net's decisions, and which do (n,).

    Each step linearizes the scores and goes to the nearest of the hyperplanes between
    the first decision and another class. For a linear net one step is exact.

    Args:
        net: From images (n, ...) to scores (n, C), C at least 2, in eval mode.
        x: Images; computed in their dtype and on their device.
        steps: At most.
        overshoot: Share of the sum of steps that is gone too far.

    Raises:
        UsageError: The net has one output.
    """
    moved = torch.zeros_like(x)
    with torch.no_grad():
        first = net(x)
    if first.shape[1] < 2:
        raise UsageError("perturbations need a net with two outputs or more")
    own = first.argmax(1)
    undecided = torch.ones_like(own, dtype=torch.bool)
    for _ in range(steps):
        step, changed = _step(net, x + (1 + overshoot) * moved, own)
        undecided &= ~changed
        if not undecided.any():
            break
        moved += torch.where(_alongside(undecided, x), step, torch.zeros_like(step))
    with torch.no_grad():
        changed = net(x + (1 + overshoot) * moved).argmax(1) != own
    return (1 + overshoot) * moved, changed


def _step(net: nn.Module, x: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """Return the shortest linearized step of each image, and where it has arrived."""
    scores, gradients = _slopes(net, x)
    rows = torch.arange(len(x), device=x.device)
    gap = scores - scores[rows, own][:, None]
    slope = gradients - gradients[rows, own][:, None]
    size = slope.flatten(2).norm(dim=2)
    distance = gap.abs() / size
    # A class whose scores run in parallel cannot be reached, nor can one's own.
    distance = distance.nan_to_num(nan=torch.inf, posinf=torch.inf)
    distance[rows, own] = torch.inf
    least, nearest = distance.min(1)
    norm = size[rows, nearest]
    factor = torch.where(least.isfinite(), least / norm, torch.zeros_like(least))
    step = _alongside(factor, x) * slope[rows, nearest]
    return step, scores.argmax(1) != own


def _slopes(net: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores (n, C) and the gradients of each (n, C, ...)."""
    inputs = x.detach().requires_grad_(True)
    scores = net(inputs)
    count = scores.shape[1]
    found = [
        torch.autograd.grad(scores[:, c].sum(), inputs, retain_graph=c + 1 < count)[0]
        for c in range(count)
    ]
    return scores.detach(), torch.stack(found, dim=1)


def _alongside(values: Tensor, x: Tensor) -> Tensor:
    return values.reshape(-1, *([1] * (x.ndim - 1)))


def robustness(
    net: nn.Module, x: Tensor, *, steps: int = STEPS, overshoot: float = OVERSHOOT
) -> tuple[Tensor, Tensor]:
    """Return the norm of each perturbation over that of its image, and which are known.

    Args:
        net: From images (n, ...) to scores (n, C), in eval mode.
        x: Images, none of them zero.
        steps: At most.
        overshoot: Share of the sum of steps that is gone too far.

    Returns:
        Ratios (n,), and a mask (n,) that is false where no step changed the decision.

    Raises:
        UsageError: The net has one output.
    """
    moved, changed = perturbations(net, x, steps=steps, overshoot=overshoot)
    return moved.flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1), changed
