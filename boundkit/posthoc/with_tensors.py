"""A network with some of its tensors replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.layers.probe import copied

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

__all__ = ["state_with", "with_tensors"]


def with_tensors(module: nn.Module, tensors: Mapping[str, torch.Tensor]) -> nn.Module:
    """Return a copy on the CPU in which tensors have other values.

    Args:
        module: Left as it is.
        tensors: Name of a parameter or buffer -> values; other names are passed over.
    """
    import torch

    net = copied(module).cpu()
    held = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    with torch.no_grad():
        for name, value in tensors.items():
            if name in held:
                held[name].copy_(value)
    return net


def state_with(
    module: nn.Module, tensors: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return the state_dict of a module in which tensors have other values.

    Args:
        module: Left as it is.
        tensors: As for `with_tensors`.

    Returns:
        Name -> values of its own memory, on the CPU.
    """
    return {
        name: value.detach().clone()
        for name, value in with_tensors(module, tensors).state_dict().items()
    }
