"""How large a rank the gradient of a single sample by a layer can have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from boundkit.types import Layer, Network

__all__ = ["patch_count", "patches_seen"]


def patch_count(network: Network, layer: Layer) -> int | None:
    """Return the largest rank that the gradient of one sample by a layer can have.

    1 for a dense layer that sees one vector, since the gradient is an outer product;
    for a convolution the number of output positions, once per group; all uses added.

    Args:
        network: Traced; without nodes nothing is known.
        layer: One of its layers.

    Returns:
        None where the architecture is not known.
    """
    nodes = [n for n in network.nodes or () if n.layer == layer.name]
    if not nodes or not (layer.kind == "linear" or layer.kind.startswith("conv")):
        return None
    if layer.kind == "linear":
        rows = layer.weight.shape[0]
        return sum(max(1, math.prod(node.shape) // rows) for node in nodes)
    groups = layer.geometry.groups if layer.geometry is not None else 1
    return sum(groups * math.prod(node.shape[1:]) for node in nodes)


def patches_seen(
    module: nn.Module, names: Mapping[str, str], x: torch.Tensor
) -> dict[str, int]:
    """Return the same by running a module, for layers that are torch's own modules.

    Args:
        module: In eval mode.
        names: Layer -> the module's name of its weight.
        x: (1, *shape) one sample on its device.

    Returns:
        Layer -> the largest rank of its gradient; layers that did not run are left out.
    """
    import torch
    from torch.nn import Linear
    from torch.nn.modules.conv import _ConvNd  # noqa: PLC2701 - torch names no public parent

    found: dict[str, int] = {}
    hooks = []

    def count(layer: str, part: nn.Module, given: Any) -> None:
        if isinstance(part, Linear):
            found[layer] = found.get(layer, 0) + given.numel() // part.out_features
        elif isinstance(part, _ConvNd):
            positions = part.groups * math.prod(given.shape[2:])
            found[layer] = found.get(layer, 0) + positions

    for layer, name in names.items():
        part = module.get_submodule(name.rpartition(".")[0])
        hooks.append(
            part.register_forward_hook(
                lambda own, _, given, layer=layer: count(layer, own, given)
            )
        )
    try:
        with torch.no_grad():
            module(x)
    finally:
        for hook in hooks:
            hook.remove()
    return found
