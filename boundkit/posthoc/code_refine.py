"""Training through the quantizer: numbers move, symbols follow, and codes get shorter."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from boundkit.posthoc.code_plan import numbers, put
from boundkit.posthoc.losses import smooth_loss
from boundkit.posthoc.quantize import quantize, reassigned

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import nn

    from boundkit.posthoc.code_plan import Books, Plan

__all__ = ["requantized", "trained"]

_BATCH = 256


def requantized(plan: Plan, price: float) -> Books:
    """Return new levels and symbols for all parts of a plan.

    Args:
        plan: What to quantize.
        price: Of a nat.
    """
    return tuple(
        quantize(part.values.reshape(-1), part.weights.reshape(-1), price)
        for part in plan.parts
    )


def trained(
    module: nn.Module,
    plan: Plan,
    books: Books,
    x: torch.Tensor,
    labels: torch.Tensor,
    *,
    price: float,
    scale: float,
    steps: int,
    rates: tuple[float, float],
    deadline: float,
    generator: torch.Generator,
) -> Plan:
    """Return the plan after steps of Adam on the cross-entropy of the quantized net.

    Outputs and loss are those of quantized numbers; their gradient is applied to the
    numbers before quantization (the straight-through estimator of Bengio, Leonard and
    Courville, 2013, arXiv:1308.3432). Symbols are chosen anew at each step, levels stay.

    Args:
        module: In eval mode, on the device of x.
        plan: Where to start.
        books: Its quantization.
        x: (m, ...) inputs.
        labels: (m,) of these.
        price: Of a nat.
        scale: Factor on the outputs in the loss.
        steps: How many.
        rates: Of Adam, at the first step and at the last.
        deadline: Of ``time.perf_counter``, after which no step is begun.
        generator: On the CPU; draws batches.
    """
    import torch
    from torch.func import functional_call

    latent = [p.values.float().clone().requires_grad_() for p in plan.parts]
    weights = [p.weights.reshape(-1).float() for p in plan.parts]
    small = [(levels.float(), symbols) for levels, symbols in books]
    adam = torch.optim.Adam(latent, lr=rates[0], betas=(0.9, 0.99))
    for step in range(steps):
        if time.perf_counter() > deadline:
            break
        adam.param_groups[0]["lr"] = rates[0] * (rates[1] / rates[0]) ** (step / steps)
        rows = torch.randint(len(x), (_BATCH,), generator=generator).to(x.device)
        with torch.no_grad():
            small = [
                (levels, reassigned(v.reshape(-1), w, price, levels, symbols))
                for v, w, (levels, symbols) in zip(latent, weights, small, strict=True)
            ]
            got = numbers(plan.parts, tuple(small))
        through = [v + (q - v).detach() for v, q in zip(latent, got, strict=True)]
        outputs = functional_call(module, put(plan, through), (x[rows],))
        loss = smooth_loss(outputs.reshape(len(rows), -1), labels[rows], scale)
        adam.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        _clear(latent)
        adam.step()
    return _with_values(plan, latent)


def _clear(latent: Sequence[torch.Tensor]) -> None:
    """Take out what is not finite: one wild batch must not end it all."""
    for value in latent:
        if value.grad is not None:
            value.grad.nan_to_num_(0.0, 0.0, 0.0)


def _with_values(plan: Plan, latent: Sequence[torch.Tensor]) -> Plan:
    parts = (
        replace(part, values=value.detach().double())
        for part, value in zip(plan.parts, latent, strict=True)
    )
    return replace(plan, parts=tuple(parts))
