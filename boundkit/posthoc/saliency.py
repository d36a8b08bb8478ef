"""What each weight matters to the outputs: squared gradients and moments of inputs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boundkit.posthoc.losses import smooth_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from boundkit.posthoc.settled import Settled

__all__ = ["Inputs", "input_moments", "squared_gradients"]

#: Samples whose gradients are added up before they are squared.
_TOGETHER = 8
#: Samples whose gradients are taken however long it takes.
_FEWEST = 256
#: Samples of one pass for moments.
_AT_A_TIME = 512


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What enters a linear layer.

    Attributes:
        mean: (inputs,) float64; zeros where no counted bias can make up for it.
        covariance: (inputs, inputs) float64, second moments about ``mean``.
        bias: Name of the bias, or None.
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    bias: str | None


def input_moments(
    net: Settled, module: torch.nn.Module, x: torch.Tensor
) -> dict[str, Inputs]:
    """Return what enters each linear layer whose weight is counted.

    Args:
        net: Names what is counted.
        module: The same net on the device of x.
        x: (b, ...) inputs.

    Returns:
        Name of a weight -> moments over samples and positions.
    """
    import torch
    from torch import nn

    sums: dict[str, list[Any]] = {}
    hooks = [
        part.register_forward_pre_hook(_adding(sums, f"{path}.weight"))
        for path, part in module.named_modules()
        if isinstance(part, nn.Linear) and f"{path}.weight" in net.free
    ]
    try:
        with torch.inference_mode():
            for part in torch.split(x, _AT_A_TIME):
                module(part)
    finally:
        for hook in hooks:
            hook.remove()
    found = {}
    for name, (count, total, square) in sums.items():
        bias = f"{name.removesuffix('weight')}bias"
        mean = total / count if bias in net.free else torch.zeros_like(total)
        centered = square / count - torch.outer(mean, mean)
        known = bias if bias in net.free else None
        found[name] = Inputs(mean.clone(), centered.clone(), known)
    return found


def _adding(sums: dict[str, list[Any]], name: str) -> Callable[..., None]:
    def hook(module: torch.nn.Module, args: tuple[Any, ...]) -> None:
        del module
        rows = args[0].reshape(-1, args[0].shape[-1]).double()
        total, square = rows.sum(0), rows.mT @ rows
        if name in sums:
            count, before, squares = sums[name]
            sums[name] = [count + len(rows), before + total, squares + square]
        else:
            sums[name] = [len(rows), total, square]

    return hook


def squared_gradients(
    module: torch.nn.Module,
    values: Mapping[str, torch.Tensor],
    inputs: Mapping[str, Inputs],
    x: torch.Tensor,
    generator: torch.Generator,
    deadline: float = math.inf,
) -> dict[str, torch.Tensor]:
    """Return the diagonal of the Fisher information, estimated.

    Labels are drawn from the net's own distribution, so that gradients of different
    samples are uncorrelated with mean zero, and the square of a sum over a few of them
    has the sum of the squares as its expectation (Martens, 2020, "New insights and
    perspectives on the natural gradient method"). Gradients of a linear weight are
    taken with the outputs at the mean input held fixed, as its bias can do.

    Args:
        module: On the device of x.
        values: Name -> float tensor to differentiate by.
        inputs: Of linear layers.
        x: (b, ...) inputs.
        generator: On the CPU, for the labels.
        deadline: Of ``time.perf_counter``, after which a few inputs must do.

    Returns:
        Name -> values at least 0, of the same shape; nothing for tensors that the
        outputs have no derivative by.
    """
    import torch
    from torch.func import functional_call

    leaves = {k: v.detach().clone().requires_grad_() for k, v in values.items()}
    sums: dict[str, torch.Tensor] = {}
    seen = 0
    for part in torch.split(x, _TOGETHER):
        if seen >= _FEWEST and time.perf_counter() > deadline:
            break
        seen += len(part)
        outputs = functional_call(module, leaves, (part,)).reshape(len(part), -1)
        labels = _drawn(outputs.detach(), generator)
        loss = smooth_loss(outputs, labels, 1.0) * len(part)
        grads = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        for name, value in _centered(dict(zip(leaves, grads, strict=True)), inputs):
            sums[name] = sums.get(name, 0) + value.double().square()
    return {name: (total / seen).float() for name, total in sums.items()}


def _drawn(outputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return labels drawn from the net's own distribution."""
    import torch

    dice = torch.rand(len(outputs), generator=generator).to(outputs.device)
    if outputs.shape[1] == 1:
        return (dice < torch.sigmoid(2 * outputs[:, 0])).long()
    steps = outputs.softmax(1).cumsum(1)
    return (dice.unsqueeze(1) > steps.narrow(1, 0, outputs.shape[1] - 1)).sum(1)


def _centered(
    grads: Mapping[str, torch.Tensor | None], inputs: Mapping[str, Inputs]
) -> list[tuple[str, torch.Tensor]]:
    found = []
    for name, value in grads.items():
        if value is None:
            continue
        known = inputs.get(name)
        beside = grads.get(known.bias or "") if known is not None else None
        found.append((
            name,
            value if known is None else _off(value, beside, known.mean),
        ))
    return found


def _off(
    weight: torch.Tensor, bias: torch.Tensor | None, mean: torch.Tensor
) -> torch.Tensor:
    """Return the gradient by a weight where the bias makes up for the mean input."""
    return weight if bias is None else weight - bias.unsqueeze(1) * mean.to(weight)
