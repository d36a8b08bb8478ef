"""Gradients of single samples by the weights of single layers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundkit.errors import ModelError
from boundkit.measure.noise.losses import value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import nn

    Weights = dict[str, torch.Tensor]

__all__ = ["Chunk", "Way", "gradients", "usable_way"]

#: All samples at once by torch.func.vmap, or one after the other.
Way = Literal["vmap", "loop"]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What some samples tell, each by itself.

    Attributes:
        outputs: (c, C) float64.
        rows: Name of a weight -> (c, numel) float64; gradients of the output where
            there is one, else of the loss.
    """

    outputs: torch.Tensor
    rows: Mapping[str, torch.Tensor]


def _single(
    module: nn.Module, loss: str
) -> Callable[[Weights, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Return weights, x, label -> what is differentiated, and the outputs."""
    from torch.func import functional_call

    def call(
        weights: Weights, x: torch.Tensor, label: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        # Some models begin with an operation in place.
        found = functional_call(module, weights, (x.unsqueeze(0).clone(),)).reshape(-1)
        scalar = found[0] if len(found) == 1 else value(found, label, loss)
        return scalar, found

    return call


def _at_once(
    module: nn.Module,
    weights: Weights,
    x: torch.Tensor,
    labels: torch.Tensor,
    loss: str,
) -> tuple[Weights, torch.Tensor]:
    from torch.func import grad, vmap

    each = vmap(grad(_single(module, loss), has_aux=True), in_dims=(None, 0, 0))
    with warnings.catch_warnings():
        # Operations that vmap takes one by one; the result is the same.
        warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
        found: tuple[Weights, torch.Tensor] = each(weights, x, labels)
    return found


def _one_by_one(
    module: nn.Module,
    weights: Weights,
    x: torch.Tensor,
    labels: torch.Tensor,
    loss: str,
) -> tuple[Weights, torch.Tensor]:
    import torch

    call, outputs = _single(module, loss), []
    rows: dict[str, list[torch.Tensor]] = {name: [] for name in weights}
    for sample, label in zip(x, labels, strict=True):
        leaves = {n: w.detach().requires_grad_() for n, w in weights.items()}
        with torch.enable_grad():
            scalar, found = call(leaves, sample, label)
        if scalar.requires_grad:
            parts = torch.autograd.grad(
                scalar, list(leaves.values()), allow_unused=True, materialize_grads=True
            )
        else:
            parts = tuple(map(torch.zeros_like, leaves.values()))
        for name, part in zip(leaves, parts, strict=True):
            rows[name].append(part)
        outputs.append(found.detach())
    return {name: torch.stack(own) for name, own in rows.items()}, torch.stack(outputs)


def gradients(
    module: nn.Module,
    weights: Weights,
    x: torch.Tensor,
    labels: torch.Tensor,
    loss: str,
    way: Way,
) -> Chunk:
    """Return outputs and gradients of each sample by itself.

    Args:
        module: In eval mode, wanting no gradients.
        weights: The module's names of the weights to differentiate by -> weights.
        x: (c, *shape) inputs in the module's dtype, on its device.
        labels: (c,) on the same device.
        loss: ``"square"`` or ``"cross-entropy"``; matters for several outputs only.
        way: All at once, or one by one.

    Returns:
        Float64 where the device has it.

    Raises:
        ModelError: The device's memory does not suffice.
    """
    import torch

    run = _at_once if way == "vmap" else _one_by_one
    try:
        rows, outputs = run(module, weights, x, labels, loss)
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"gradients of {len(x)} samples do not fit into the memory of"
            f" {x.device.type}; use a smaller batch size"
        ) from error
    wide = {name: _wide(part.flatten(1)) for name, part in rows.items()}
    return Chunk(_wide(outputs), wide)


def _wide(values: torch.Tensor) -> torch.Tensor:
    # No float64 on MPS: sums are taken on the CPU there.
    return (values.cpu() if values.device.type == "mps" else values).double()


def usable_way(
    module: nn.Module,
    weights: Weights,
    x: torch.Tensor,
    labels: torch.Tensor,
    loss: str,
) -> tuple[Way, str]:
    """Return how gradients of this module are had, and why not all at once, or "".

    Both ways are tried on these samples and must agree.

    Args:
        module: In eval mode, wanting no gradients.
        weights: The module's names of the weights to differentiate by -> weights.
        x: (c, *shape) a few inputs in the module's dtype, on its device.
        labels: (c,) on the same device.
        loss: ``"square"`` or ``"cross-entropy"``.

    Raises:
        ModelError: There are no gradients either way.
    """
    try:
        slow = gradients(module, weights, x, labels, loss, "loop")
    # Models are foreign code: they may raise anything.
    except Exception as error:
        raise ModelError(
            f"the model has no gradients: {_line(error)}; noise needs a net that torch"
            " can differentiate"
        ) from error
    try:
        fast = gradients(module, weights, x, labels, loss, "vmap")
    except Exception as error:  # noqa: BLE001 - as above; the other way works
        return "loop", _line(error)
    if _agree(slow, fast):
        return "vmap", ""
    return "loop", "torch.func.vmap gives other gradients than autograd"


def _agree(slow: Chunk, fast: Chunk) -> bool:
    for name, row in slow.rows.items():
        apart = (row - fast.rows[name]).norm().nan_to_num()
        if bool(apart > 1e-4 * row.norm().nan_to_num()):
            return False
    return True


def _line(error: Exception) -> str:
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {first}"
