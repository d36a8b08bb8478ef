"""Frobenius norms of convolutions as matrices on whole maps."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from boundkit.numerics.blocks import array
from boundkit.numerics.path_counts import output_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from boundkit.types import Geometry, Network, StoredTensor

__all__ = ["tap_uses", "toeplitz_norm", "toeplitz_norms"]


def tap_uses(geometry: Geometry, sizes: Sequence[int]) -> list[NDArray[np.float64]]:
    """Return per axis how many output positions each tap meets the input at.

    Padding other than zeros copies an input, so there every tap always meets one.

    Args:
        geometry: Of a convolution or transposed convolution.
        sizes: Input positions along each axis.

    Returns:
        Per axis an array (kernel,).
    """
    uses = []
    for axis, size in enumerate(sizes):
        outputs = output_size(geometry, axis, size)
        low = geometry.padding[axis][0]
        step, spread = geometry.stride[axis], geometry.dilation[axis]
        taps = np.arange(geometry.kernel[axis])[:, None] * spread
        if geometry.transposed:
            positions = np.arange(size)[None] * step + taps - low
            limit = outputs
        else:
            positions = np.arange(outputs)[None] * step + taps - low
            limit = size
        inside = (positions >= 0) & (positions < limit)
        if geometry.padding_mode != "zeros":
            inside[...] = True
        uses.append(inside.sum(axis=1).astype(np.float64))
    return uses


def toeplitz_norm(
    weight: StoredTensor, geometry: Geometry, sizes: Sequence[int]
) -> float:
    """Return ``sqrt(sum over taps of ||w_tap||^2 times the uses of the tap)``.

    Args:
        weight: (out, in / groups, *kernel), or (in, out / groups, *kernel) transposed.
        geometry: Of the convolution.
        sizes: Input positions along each axis.

    Raises:
        Unreadable: The bytes of the weight are not there.
    """
    values = np.asarray(array(weight), np.float64)
    top = float(np.max(np.abs(values), initial=0.0)) or 1.0
    energy = np.sum((values / top) ** 2, axis=(0, 1))
    for uses in reversed(tap_uses(geometry, sizes)):
        energy = np.asarray(energy @ uses)
    return top * math.sqrt(float(energy))


def toeplitz_norms(network: Network) -> Mapping[str, float]:
    """Return the unrolled norm of every convolution of a traced network.

    Args:
        network: With nodes, so that the size of every map is known.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    if network.nodes is None:
        return MappingProxyType({})
    shapes = {node.name: node.shape for node in network.nodes}
    layers = {layer.name: layer for layer in network.layers}
    found: dict[str, float] = {}
    for node in network.nodes:
        layer = layers.get(node.layer or "")
        if layer is None or layer.geometry is None or layer.name in found:
            continue
        sizes = shapes[node.inputs[0]][1:]
        found[layer.name] = toeplitz_norm(layer.weight, layer.geometry, sizes)
    return MappingProxyType(found)
