"""Frobenius norms of convolutions as matrices on whole maps."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from boundkit.numerics.blocks import array
from boundkit.numerics.path_counts import tap_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from boundkit.types import Geometry, Network, StoredTensor

__all__ = ["meetings", "toeplitz_norm", "toeplitz_norms"]


def meetings(geometry: Geometry, sizes: Sequence[int]) -> list[NDArray[np.float64]]:
    """Return per axis at how many output positions two taps meet the same input.

    On the diagonal that is how often a tap meets an input at all. Padding with zeros
    leaves it at that; padding that copies an input adds two taps into one entry.

    Args:
        geometry: Of a convolution or transposed convolution.
        sizes: Input positions along each axis.

    Returns:
        Per axis a matrix (kernel, kernel).
    """
    found = []
    for axis, size in enumerate(sizes):
        sources = tap_sources(geometry, axis, size)
        same = sources[:, None, :] == sources[None, :, :]
        found.append((same & (sources >= 0)).sum(axis=2).astype(np.float64))
    return found


def toeplitz_norm(
    weight: StoredTensor, geometry: Geometry, sizes: Sequence[int]
) -> float:
    """Return the Frobenius norm of the matrix that a convolution is on whole maps.

    With zero padding it is the root of the sum over taps of ``||w_tap||^2`` times the
    number of output positions at which the tap meets the input.

    Args:
        weight: (out, in / groups, *kernel), or (in, out / groups, *kernel) transposed.
        geometry: Of the convolution.
        sizes: Input positions along each axis.

    Raises:
        Unreadable: The bytes of the weight are not there.
    """
    values = np.asarray(array(weight), np.float64)
    top = float(np.max(np.abs(values), initial=0.0)) or 1.0
    taps = values / top
    spread = taps
    for axis, pairs in enumerate(meetings(geometry, sizes)):
        spread = np.moveaxis(np.tensordot(spread, pairs, (2 + axis, 0)), -1, 2 + axis)
    # Rounding may leave the norm of taps that cancel a hair below zero.
    return top * math.sqrt(max(float(np.vdot(taps, spread)), 0.0))


def toeplitz_norms(network: Network) -> Mapping[str, float]:
    """Return the unrolled norm of every convolution of a traced network.

    A weight that is applied to maps of several sizes has the largest of its norms.

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
        geometry = node.geometry or (layer.geometry if layer else None)
        sizes = shapes[node.inputs[0]][1:] if node.inputs else ()
        if layer is None or geometry is None or len(sizes) != len(geometry.kernel):
            continue
        norm = toeplitz_norm(layer.weight, geometry, sizes)
        found[layer.name] = max(norm, found.get(layer.name, 0.0))
    return MappingProxyType(found)
