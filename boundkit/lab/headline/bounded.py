r"""Training with the bound as the objective.

Minimized is, over batches, the mean hinge loss ``(1 - m)_+`` of the margins m plus
``alpha w(t)`` times the complexity term of the certificate at margin 1, which is ``price *
rho``: rho is the product of the Frobenius norms of the layers and ``price = 2 K A_C S_N /
n`` is what boundkit computes for the architecture. Late in training the hinge is clipped
to ``[0, 1]``, as the ramp loss of the certificate is, plus a twentieth of the hinge that
keeps a gradient on wrong samples. ``w`` grows from 0.02 to 1 over the first half: with the
full price at once, deep nets collapse to zero.

Where layers have biases, rho counts them at one scale ``bias_energy`` of the grid of scales
that the bound goes through, and S_N the constants that they multiply at the same scale.

The bound holds for all weights at once, so nothing that is tuned here weakens it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from boundkit.analysis import analyze
from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

__all__ = [
    "clipped",
    "complexity",
    "hinge",
    "layers",
    "margins",
    "price",
    "train",
    "warm_up",
]


_FACTORS = ("K_L", "A_C", "energy_per_sample", "bias_energy", "n")


def price(net: nn.Module, data: Path, bias_energy: float = 0.0) -> float:
    """Return ``2 K A_C S_N / n``: what a unit of rho costs in the certificate.

    Args:
        net: An architecture; its weights do not matter.
        data: The training sample.
        bias_energy: What the constants of biases add to the energy of each input.

    Raises:
        UsageError: The bound does not cover the architecture.
    """
    report = analyze(net, model=net, data=str(data), only=["bounds"])
    found = report.certificates["sparse_cnn"]
    if found.value is None:
        reasons = [a.detail for a in found.assumptions if a.holds is False]
        raise UsageError(
            f"no price for this architecture: {'; '.join(reasons)}; train one that the"
            " bound covers"
        )
    terms = {name: float(found.terms.get(name) or 0) for name in _FACTORS}
    energy = terms["energy_per_sample"] - terms["bias_energy"] + bias_energy
    return 2 * terms["K_L"] * terms["A_C"] * math.sqrt(energy / terms["n"])


def margins(scores: Tensor, y: Tensor) -> Tensor:
    """Return ``y f`` or ``f_y - max of the others``, (b,).

    Args:
        scores: (b, 1) or (b, C).
        y: (b,) -1/+1 or classes.
    """
    if scores.shape[1] == 1:
        return scores[:, 0] * y
    own = y[:, None]
    others = scores.scatter(1, own, -torch.inf).amax(1)
    return scores.gather(1, own)[:, 0] - others


def hinge(of: Tensor) -> Tensor:
    """Return the mean of ``(1 - m)_+`` over margins (b,)."""
    return (1 - of).clamp(min=0).mean()


def clipped(of: Tensor) -> Tensor:
    """Return the mean ramp loss at margin 1 plus a twentieth of the hinge, (b,)."""
    return (1 - of).clamp(0, 1).mean() + 0.05 * hinge(of)


def warm_up(progress: float) -> float:
    """Return the share of the price that is charged after this share of the steps."""
    return min(1.0, max(0.02, (progress - 0.15) / 0.35))


def _folded(weight: Tensor, of: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution without bias and the BatchNorm after it."""
    mean, variance = torch.as_tensor(of.running_mean), torch.as_tensor(of.running_var)
    scale = of.weight / (variance + of.eps).sqrt()
    return weight * scale[:, None, None, None], of.bias - scale * mean


def layers(net: nn.Module) -> list[tuple[Tensor, Tensor | None]]:
    """Return weights and biases in forward order, BatchNorm folded, the head centered."""
    found: list[tuple[Tensor, Tensor | None]] = []
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            found.append((module.weight, module.bias))
        elif isinstance(module, nn.BatchNorm2d):
            found.append(_folded(found.pop()[0], module))
    weight, bias = found.pop()
    if len(weight) > 1:
        weight = weight - weight.mean(0)  # noqa: PLR6104 - the net keeps its own
    return [*found, (weight, bias)]


def _paths(chain: Sequence[tuple[Tensor, Tensor | None]]) -> list[int]:
    """Return the paths from the bias of each layer to the output, without overlap."""
    counts = [1]
    for (weight, _), (after, _) in reversed(list(pairwise(chain))):
        counts.append(counts[-1] * after[0].numel() // len(weight))
    return counts[::-1]


def _product(
    chain: Sequence[tuple[Tensor, Tensor | None]], bias_energy: float
) -> Tensor:
    """Return the norm of a chain; a bias counts against the norm before it."""
    total = torch.ones(())
    having = sum(bias is not None for _, bias in chain)
    for (weight, bias), paths in zip(chain, _paths(chain), strict=True):
        total = total * weight.norm()  # noqa: PLR6104 - autograd keeps the old one
        if bias is not None:
            square = total**2 + (bias**2).sum() * having * paths / bias_energy
            total = square.sqrt()
    return total


def complexity(
    net: nn.Module, prices: Sequence[float], bias_energy: float = 0.0
) -> Tensor:
    """Return the complexity term of the certificate at margin 1, with its gradient.

    Args:
        net: A chain, or a net with a stem, ``blocks`` and a head.
        prices: Of the chain; or of the routes through 0, 1, .. branches, each of which
            costs the norms on it.
        bias_energy: As for ``price``; positive where layers have biases.
    """
    if len(prices) == 1:
        return prices[0] * _product(layers(net), bias_energy)
    parts, weights = dict(net.named_children()), dict(net.named_parameters())
    # Elementary symmetric polynomials of the branches' norms, one branch at a time.
    routes = [torch.ones(())] + [torch.zeros(())] * (len(prices) - 1)
    for branch in parts["blocks"].children():
        norm = torch.stack([p.norm() for p in branch.parameters()]).prod()
        longer = [norm * shorter for shorter in routes[:-1]]
        routes = [routes[0], *(a + b for a, b in zip(routes[1:], longer, strict=True))]
    ends = weights["stem.weight"].norm() * weights["head.weight"].norm()
    total: Tensor = ends * torch.stack(routes) @ torch.tensor(prices)
    return total


def train(
    make: Callable[[], nn.Module],
    x: NDArray[np.float32],
    y: NDArray[np.integer],
    prices: Sequence[float],
    *,
    epochs: int,
    batch: int,
    rate: float,
    alpha: float,
    clip_from: float,
    seed: int,
    bias_energy: float = 0.0,
) -> nn.Module:
    """Return the trained net, in eval mode.

    Args:
        make: The factory.
        x: (n, 1, 28, 28) inputs.
        y: (n,) -1/+1 or classes.
        prices: As for ``complexity``.
        epochs: Passes over the sample.
        batch: Samples per step; the last incomplete batch is left out.
        rate: Of Adam at the start; it falls to 0 along a cosine.
        alpha: Share of the price that is charged.
        clip_from: Share of the steps after which the hinge is clipped.
        seed: Of the weights and the order.
        bias_energy: As for ``price``.
    """
    torch.manual_seed(seed)
    order = torch.Generator().manual_seed(seed)
    net = make().train()
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y).long()
    steps = max(1, len(x) // batch)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    done = 0
    for _ in range(epochs):
        shuffled = torch.randperm(len(x), generator=order)
        for rows in torch.split(shuffled, batch)[:steps]:
            progress = done / (epochs * steps)
            loss = hinge if progress < clip_from else clipped
            objective = loss(margins(net(inputs[rows]), labels[rows]))
            charged = complexity(net, prices, bias_energy)
            objective = (  # noqa: PLR6104 - as above
                objective + alpha * warm_up(progress) * charged
            )
            optimizer.zero_grad()
            torch.autograd.backward(objective)
            optimizer.step()
            schedule.step()
            done += 1
    return net.eval()
