"""Runs a network as its nodes describe it, to see whether that is what the model does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.data.tensors import from_stored
from boundkit.errors import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from boundkit.types import (
        BatchStatistics,
        Geometry,
        Layer,
        Network,
        Node,
        StoredTensor,
    )

__all__ = ["replay"]

#: torch's names of padding modes, for those whose name differs in Geometry.
_UNCOUNTED = "uncounted"


def replay(network: Network, x: torch.Tensor) -> torch.Tensor:
    """Return what the nodes of a network make of inputs.

    Args:
        network: Wired, with or without rewrites.
        x: (b, *shape) inputs; their dtype and device are used throughout.

    Returns:
        (b, ...) outputs.

    Raises:
        NotApplicable: An operation is not described completely.
        Unreadable: The bytes of a weight are not there.
    """
    layers = {layer.name: layer for layer in network.layers}
    values: dict[str, torch.Tensor] = {}
    for node in network.nodes or ():
        if node.op == "input":
            values[node.name] = x
            continue
        inputs = [values[name] for name in node.inputs]
        if node.op == "output":
            return inputs[0]
        values[node.name] = (
            _normalized(node.statistics, network.vectors, inputs[0])
            if node.op == "norm" and node.statistics is not None
            else _applied(node, inputs, layers)
        )
    raise NotApplicable("the architecture is not known")


def _applied(
    node: Node, inputs: list[torch.Tensor], layers: Mapping[str, Layer]
) -> torch.Tensor:
    from torch.nn import functional

    x = inputs[0]
    if node.op == "layer":
        layer = layers[node.layer or ""]
        return _layer(node, layer, x)
    if node.op == "activation" and node.slope is not None:
        return functional.leaky_relu(x, node.slope)
    if node.op in {"average_pool", "max_pool"} and node.geometry is not None:
        return _pool(node, node.geometry, x)
    if node.op == "add":
        return inputs[0] + inputs[-1]
    if node.op == "flatten" and node.detail != "reordered":
        return x.reshape(len(x), *node.shape)
    if node.op == "identity":
        return x
    raise NotApplicable(f"{node.name} ({node.detail or node.op}) is not described")


def _normalized(
    statistics: BatchStatistics, vectors: Mapping[str, StoredTensor], x: torch.Tensor
) -> torch.Tensor:
    from torch.nn import functional

    missing = [name for name in statistics.tensors if name not in vectors]
    if missing:
        raise NotApplicable(f"{missing[0]!r} is not in the checkpoint")
    mean, variance, scale, shift = (
        None if name is None else from_stored(vectors[name]).to(x)
        for name in (
            statistics.mean,
            statistics.variance,
            statistics.scale,
            statistics.shift,
        )
    )
    return functional.batch_norm(x, mean, variance, scale, shift, eps=statistics.eps)


def _layer(node: Node, layer: Layer, x: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    weight = from_stored(layer.weight).to(x)
    bias = None
    if node.detail == "bias":
        if layer.bias is None:
            raise NotApplicable(f"the bias of {layer.name} is not stored beside it")
        bias = from_stored(layer.bias).to(x)
    geometry = node.geometry or layer.geometry
    if geometry is None:
        return functional.linear(x, weight, bias)
    return _convolution(geometry, x, weight, bias)


def _convolution(
    geometry: Geometry, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    from torch.nn import functional

    dims = len(geometry.kernel)
    if geometry.transposed:
        return getattr(functional, f"conv_transpose{dims}d")(  # type: ignore[no-any-return] # getattr is untyped
            x,
            weight,
            bias,
            stride=geometry.stride,
            padding=tuple(low for low, _ in geometry.padding),
            output_padding=geometry.output_padding or 0,
            groups=geometry.groups,
            dilation=geometry.dilation,
        )
    mode = "constant" if geometry.padding_mode == "zeros" else geometry.padding_mode
    return getattr(functional, f"conv{dims}d")(  # type: ignore[no-any-return] # as above
        functional.pad(x, _ends(geometry), mode=mode),
        weight,
        bias,
        stride=geometry.stride,
        dilation=geometry.dilation,
        groups=geometry.groups,
    )


def _ends(geometry: Geometry) -> list[int]:
    """Return the padding as torch wants it, last axis first."""
    return [end for pair in reversed(geometry.padding) for end in pair]


def _windows(x: torch.Tensor, geometry: Geometry, fill: float) -> torch.Tensor:
    """Return (b, channels, positions..., window) values of each window."""
    from torch.nn import functional

    dims = len(geometry.kernel)
    x = functional.pad(x, _ends(geometry), value=fill)
    for axis in range(dims):
        dilation = geometry.dilation[axis]
        reach = dilation * (geometry.kernel[axis] - 1) + 1
        x = x.unfold(2 + axis, reach, geometry.stride[axis])
        x = x[..., ::dilation]
    return x.flatten(2 + dims)


def _pool(node: Node, geometry: Geometry, x: torch.Tensor) -> torch.Tensor:
    import torch

    if node.op == "max_pool":
        pooled = _windows(x, geometry, -torch.inf).amax(-1)
    else:
        total = _windows(x, geometry, 0.0).sum(-1)
        ones = torch.ones_like(x) if geometry.padding_mode == _UNCOUNTED else None
        window = _windows(x, geometry, 0.0).shape[-1]
        size = window if ones is None else _windows(ones, geometry, 0.0).sum(-1)
        pooled = total / size
    return pooled.reshape(len(x), *node.shape)
