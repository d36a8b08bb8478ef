"""The sum over all paths of the products of squared weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.numerics.blocks import array
from boundkit.numerics.lanczos import convolution

if TYPE_CHECKING:
    import torch

    from boundkit.types import Geometry, Layer, Network, Node, StoredTensor

__all__ = ["path_norm"]


def _squared(tensor: StoredTensor) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.square(np.asarray(array(tensor), np.float64)))


def _layer(layer: Layer, node: Node, x: torch.Tensor) -> torch.Tensor:
    weight = _squared(layer.weight)
    geometry = node.geometry or layer.geometry
    if layer.kind == "linear" or geometry is None:
        y = x @ weight.T
    else:
        y = convolution(weight, geometry)(x)
    if layer.bias is None:
        return y
    axes = (1, -1) + (1,) * (y.ndim - 2)
    return y + _squared(layer.bias).reshape(axes if y.ndim > 2 else (1, -1))


def _pool(geometry: Geometry, x: torch.Tensor, *, largest: bool) -> torch.Tensor:
    from torch.nn import functional

    dims = len(geometry.kernel)
    padding = [low for low, _ in geometry.padding]
    if largest:
        pool = getattr(functional, f"max_pool{dims}d")
        found: torch.Tensor = pool(
            x, geometry.kernel, geometry.stride, padding, geometry.dilation
        )
        return found
    pool = getattr(functional, f"avg_pool{dims}d")
    counted = geometry.padding_mode == "zeros"
    mean: torch.Tensor = pool(
        x, geometry.kernel, geometry.stride, padding, count_include_pad=counted
    )
    return mean


def _step(
    node: Node, layers: dict[str, Layer], inputs: list[torch.Tensor]
) -> torch.Tensor | None:
    """Return the output of a node on squared weights, None if that is not known."""
    if node.op == "layer" and node.layer in layers:
        return _layer(layers[node.layer], node, inputs[0])
    if node.op in {"activation", "identity", "output"}:
        return inputs[0]
    if node.op == "flatten":
        return inputs[0].reshape(1, *node.shape)
    if node.op == "add":
        return inputs[0] + inputs[1] if len(inputs) == 2 else None
    pools = {"average_pool", "max_pool"}
    if node.op in pools and node.geometry is not None:
        return _pool(node.geometry, inputs[0], largest=node.op == "max_pool")
    return None


def path_norm(network: Network) -> float | None:
    """Return the sum of the outputs on ones with all weights and biases squared.

    Neyshabur, Salakhutdinov and Srebro (2015), Path-SGD, with ReLU-like activations; a
    max pooling passes its largest input on.

    Args:
        network: Traced, normalization folded; else None is returned.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    import torch

    layers = {layer.name: layer for layer in network.layers}
    values: dict[str, torch.Tensor] = {}
    last: torch.Tensor | None = None
    for node in network.nodes or ():
        if node.op == "input":
            last = torch.ones(1, *node.shape, dtype=torch.float64)
        elif any(name not in values for name in node.inputs):
            return None
        else:
            last = _step(node, layers, [values[name] for name in node.inputs])
        if last is None or last.shape[1:] != node.shape:
            return None
        values[node.name] = last
    total = math.inf if last is None else float(last.sum())
    return total if math.isfinite(total) else None
