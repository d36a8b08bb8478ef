"""Makes the certificate itself smaller: mean and scales of the posterior by Adam.

The objective is ``CE + tau KL/n`` on weights drawn anew for each batch, with the prior's
scales at their optimum, where ``tau`` weighs the two as the inverse of kl does at the
present bound B: ``dB/dq : dB/dc = ln(B (1-q) / (q (1-B)))``.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundkit.numerics.kl_inverse import kl_inverse
from boundkit.posthoc.gaussians import Posterior, best_scales, group_means
from boundkit.posthoc.losses import mistakes, smooth_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from boundkit.posthoc.coordinates import Coordinates

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Refined", "Stopped", "refined", "weight_of_divergence"]

Stopped = Literal["finished", "budget", "interrupted", "diverged"]

BATCH = 250
RATE = 2e-3
SCALE_RATE = 10.0
FADE = 0.98
#: Steps between looks at the clock and at the bound.
_EVERY = 10


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """Where the optimizer ended.

    Attributes:
        posterior: (P,) normals.
        steps: How many were taken.
        stopped: Why it ended.
    """

    posterior: Posterior
    steps: int
    stopped: Stopped


def weight_of_divergence(q: float, cost: float, loss: float) -> float:
    """Return tau: what a nat per sample is worth in units of the smooth loss.

    Args:
        q: Error rate under the posterior.
        cost: Right side of the bound, nats per sample.
        loss: Smooth loss that belongs to q.
    """
    q = min(max(q, 1e-4), 0.99)
    bound = min(max(kl_inverse(q, cost), q + 1e-6), 1 - 1e-6)
    slope = math.log(bound * (1 - q) / (q * (1 - bound)))
    return max(loss, 1e-3) / (q * slope)


def refined(
    net: Coordinates,
    start: Posterior,
    center: torch.Tensor,
    groups: torch.Tensor,
    x: torch.Tensor,
    labels: torch.Tensor,
    n: int,
    extra: float,
    *,
    scale: float,
    steps: int,
    deadline: float,
    generator: torch.Generator | None,
    rate: float = RATE,
    batch: int = BATCH,
    pairs: int = 1,
    scale_rate: float = SCALE_RATE,
    progress: Progress = None,
    trail: list | None = None,
) -> Refined:
    import torch

    count = len(net.names)
    mean = start.mean.float().clone().requires_grad_()
    log_scale = start.log_scale.float().clone().requires_grad_()
    center = center.float()
    adam = torch.optim.Adam(
        [{"params": [mean], "lr": rate}, {"params": [log_scale], "lr": scale_rate * rate}],
        betas=(0.9, 0.99),
        fused=True,
    )
    begun = time.perf_counter()
    q = loss_seen = None
    tau, cost = 1.0, 0.0
    step = 0
    stopped: Stopped = "finished"
    order = None
    try:
        while step < steps:
            if step % _EVERY == 0:
                now = time.perf_counter()
                done = max(step / steps, (now - begun) / max(deadline - begun, 1e-9))
                if done >= 1:
                    stopped = "budget"
                    break
                for group, base in zip(adam.param_groups, (rate, scale_rate * rate)):
                    group["lr"] = base * 0.5 * (1 + math.cos(math.pi * done))
            rows = torch.randint(len(x), (batch,), generator=generator, device=x.device)
            noise = torch.randn(mean.shape, generator=generator, device=mean.device)
            with torch.no_grad():
                s = log_scale.exp()
            grad_m = torch.zeros_like(mean)
            grad_s = torch.zeros_like(mean)
            loss_sum = 0.0
            err_sum = 0.0
            draws = 2 * pairs if pairs else 1
            for k, part in enumerate(rows.chunk(draws)):
                if pairs and k % 2 == 0 and k > 0:
                    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
                sign = -1.0 if k % 2 else 1.0
                with torch.no_grad():
                    w = torch.addcmul(mean, s, noise, value=sign)
                w.requires_grad_()
                outputs = net.outputs(w, x[part])
                y = labels[part]
                loss = smooth_loss(outputs, y, scale)
                (g,) = torch.autograd.grad(loss, w)
                grad_m += g
                grad_s.addcmul_(g, noise, value=sign)
                with torch.no_grad():
                    loss_sum += loss.detach()
                    err_sum += mistakes(outputs.detach(), y, 0.0).float().mean()
            loss_sum /= draws
            err_sum /= draws
            if loss_seen is None:
                loss_seen, q = loss_sum, err_sum
            f = min(FADE, step / (step + 1.0))
            loss_seen = f * loss_seen + (1 - f) * loss_sum
            q = f * q + (1 - f) * err_sum
            with torch.no_grad():
                away = mean - center
                square = s.square()
                lam2 = group_means(square + away.square(), groups, count)
                inv = (1 / lam2)[groups]
                if step % _EVERY == 0:
                    kl = 0.5 * (lam2.log()[groups] - 2 * log_scale).sum()
                    cost = (float(kl) + extra) / n
                    tau = weight_of_divergence(float(q), cost, float(loss_seen))
                    if trail is not None and step % 200 == 0:
                        trail.append((step, round(now - begun, 1), float(kl), float(q), float(loss_seen), kl_inverse(float(q), cost)))
                        print(*trail[-1], flush=True)
                mean.grad = grad_m / draws + (tau / n) * away * inv
                log_scale.grad = grad_s * s / draws + (tau / n) * (square * inv - 1)
            adam.step()
            step += 1
    except KeyboardInterrupt:
        stopped = "interrupted"
    return Refined(Posterior(mean.detach(), log_scale.detach()), step, stopped)
