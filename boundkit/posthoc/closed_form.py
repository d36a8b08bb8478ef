"""A posterior around the trained weights without any optimizer: noise by curvature."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from boundkit.numerics.kl_inverse import kl_inverse
from boundkit.posthoc.gaussians import Posterior, best_scales
from boundkit.posthoc.losses import mistakes, smooth_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from boundkit.posthoc.coordinates import Coordinates

__all__ = ["closed_form", "curvature", "quick_bound", "stationary"]

#: Multiples of n that the curvature is weighted by.
_WEIGHTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_ROUNDS = 15
#: Examples for the curvature: at most, at least, and gradient entries in all.
_MOST, _FEWEST, _ENTRIES = 2000, 64, 2**27
#: Gradient entries at a time.
_AT_A_TIME = 2**23


def curvature(
    net: Coordinates,
    vector: torch.Tensor,
    x: torch.Tensor,
    scale: float,
    generator: torch.Generator | None,
) -> torch.Tensor:
    """Return the diagonal of the Fisher information, the mean squared gradient.

    Labels are sampled from the network, so this is the curvature of its own loss.

    Args:
        net: The network.
        vector: (P,) weights.
        x: (m, ...) inputs on the same device; some of them are used.
        scale: Factor on the outputs.
        generator: Of the labels; None for torch's own.

    Returns:
        (P,) at least 0.
    """
    import torch

    weights = vector.detach().float()
    count = min(len(x), _MOST, max(_FEWEST, _ENTRIES // len(weights)))
    rows = x[torch.arange(count, device=x.device) * (len(x) // count)]
    with torch.no_grad():
        labels = _sampled(scale * net.outputs(weights, rows), generator)

    def loss(at: torch.Tensor, one: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return smooth_loss(net.outputs(at, one[None]), label[None], scale)

    gradients = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))
    size = max(1, _AT_A_TIME // len(weights))
    total = torch.zeros_like(weights, dtype=torch.float64)
    try:
        for some, own in zip(
            torch.split(rows, size), torch.split(labels, size), strict=True
        ):
            total += gradients(weights, some, own).square().sum(0)
    # What vmap cannot follow raises whatever the model's operations raise.
    except Exception:  # noqa: BLE001 - one example at a time always works
        total.zero_()
        for at in range(count):
            leaf = weights.clone().requires_grad_()
            value = loss(leaf, rows[at], labels[at])
            total += torch.autograd.grad(value, leaf)[0].square()
    return total.nan_to_num(posinf=0.0) / count


def _sampled(outputs: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    import torch

    if outputs.shape[1] == 1:
        outputs = torch.cat([-outputs, outputs], 1)
    chances = outputs.softmax(1).nan_to_num(1.0)
    return torch.multinomial(chances, 1, generator=generator)[:, 0]


def closed_form(
    mean: torch.Tensor,
    center: torch.Tensor,
    groups: torch.Tensor,
    count: int,
    fisher: torch.Tensor,
    n: int,
    quality: Callable[[Posterior], float],
) -> Posterior:
    """Return the best posterior with ``1/s_i^2 = 1/lambda_g^2 + beta h_i``.

    Tried for several beta, with the mean where it is, and shrunk towards the center as
    the same quadratic model asks.

    Args:
        mean: (P,) trained weights.
        center: (P,) of the prior.
        groups: (P,) group of each weight.
        count: How many groups.
        fisher: (P,) h.
        n: Sample size.
        quality: Posterior -> a bound to be made small.
    """
    import torch

    narrow = Posterior(mean, torch.full_like(mean, math.log(0.01)))
    candidates = [
        stationary(narrow, center, groups, count, beta * n * fisher, shrink=shrink)
        for shrink in (True, False)
        for beta in _WEIGHTS
    ]
    return min(candidates, key=quality)


def stationary(
    start: Posterior,
    center: torch.Tensor,
    groups: torch.Tensor,
    count: int,
    precision: torch.Tensor,
    *,
    shrink: bool = False,
    rounds: int = _ROUNDS,
) -> Posterior:
    """Return scales ``1/s_i^2 = 1/lambda_g^2 + p_i`` that agree with the prior's lambda.

    Args:
        start: (P,) normals.
        center: (P,) of the prior.
        groups: (P,) group of each weight.
        count: How many groups.
        precision: (P,) p, what the sample adds.
        shrink: Move means towards the center as the same quadratic model asks.
        rounds: Of the fixed-point iteration.
    """
    found, mean = start, start.mean
    for _ in range(rounds):
        wide = best_scales(found, center, groups, count).clamp(min=1e-6)[groups]
        tight = wide.square().reciprocal() + precision
        found = replace(found, log_scale=-tight.log() / 2)
        if shrink:
            moved = center + (mean - center) * precision / tight
            found = replace(found, mean=moved)
    return found


def quick_bound(
    net: Coordinates,
    posterior: Posterior,
    center: torch.Tensor,
    groups: torch.Tensor,
    x: torch.Tensor,
    labels: torch.Tensor,
    n: int,
    extra: float,
    generator: torch.Generator | None,
) -> float:
    """Return roughly the bound that a posterior leads to, from one draw on some samples.

    Args:
        net: The network.
        posterior: (P,) normals.
        center: (P,) of the prior.
        groups: (P,) group of each weight.
        x: (m, ...) some inputs.
        labels: (m,).
        n: Size of the whole sample.
        extra: Nats beside the divergence.
        generator: Of the draw.
    """
    import torch

    scales = best_scales(posterior, center, groups, len(net.names))
    nats = float((scales.log()[groups] - posterior.log_scale).sum())
    noise = torch.randn(
        posterior.mean.shape, generator=generator, device=posterior.mean.device
    )
    h = (posterior.mean + posterior.log_scale.exp() * noise).float()
    with torch.no_grad():
        wrong = torch.cat([
            mistakes(net.outputs(h, some), own, 0.0)
            for some, own in zip(
                torch.split(x, 1000), torch.split(labels, 1000), strict=True
            )
        ])
    if not math.isfinite(nats):
        return 1.0
    return kl_inverse(float(wrong.float().mean()), (max(nats, 0.0) + extra) / n)
