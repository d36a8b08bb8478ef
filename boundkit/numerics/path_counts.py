"""How many paths lead from a position of one map to the output of the network.

Channels are collapsed: a position is a pixel, a layer is the graph of which position
feeds which. Window geometry is a product over dimensions, so each dimension has one
matrix and a step backwards through a layer contracts one axis at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.types import Geometry

__all__ = [
    "average_edges",
    "conv_edges",
    "max_edges",
    "output_size",
    "pull_back",
    "tap_sources",
]


def output_size(geometry: Geometry, axis: int, size: int) -> int:
    """Return the number of output positions along one axis of ``size`` inputs."""
    low, high = geometry.padding[axis]
    reach = geometry.dilation[axis] * (geometry.kernel[axis] - 1) + 1
    if geometry.transposed:
        extra = geometry.output_padding[axis] if geometry.output_padding else 0
        return (size - 1) * geometry.stride[axis] - low - high + reach + extra
    return (size + low + high - reach) // geometry.stride[axis] + 1


def _source(position: int, size: int, mode: str) -> int | None:
    """Return the input position that padded ``position`` copies, None for a zero."""
    if 0 <= position < size:
        return position
    if mode == "circular":
        return position % size
    if mode == "replicate":
        return min(max(position, 0), size - 1)
    if mode == "reflect":
        period = max(2 * (size - 1), 1)
        folded = position % period
        return min(folded, period - folded)
    return None


def tap_sources(geometry: Geometry, axis: int, size: int) -> NDArray[np.int64]:
    """Return which input position each tap meets at each output position of one axis.

    Args:
        geometry: Of a convolution or a transposed convolution.
        axis: Which spatial axis.
        size: Input positions along it.

    Returns:
        (kernel, outputs) positions, -1 where the tap meets a zero. A padded position
        that copies an input is that input.
    """
    outputs = output_size(geometry, axis, size)
    low = geometry.padding[axis][0]
    step, spread = geometry.stride[axis], geometry.dilation[axis]
    found = np.full((geometry.kernel[axis], outputs), -1, np.int64)
    for tap in range(geometry.kernel[axis]):
        if geometry.transposed:
            reached = np.arange(size) * step - low + tap * spread
            inside = (reached >= 0) & (reached < outputs)
            found[tap, reached[inside]] = np.arange(size)[inside]
            continue
        for output in range(outputs):
            position = output * step - low + tap * spread
            source = _source(position, size, geometry.padding_mode)
            found[tap, output] = -1 if source is None else source
    return found


def conv_edges(geometry: Geometry, sizes: Sequence[int]) -> list[NDArray[np.float64]]:
    """Return per axis the (outputs, inputs) numbers of taps that join two positions.

    A padded position that copies an input counts for that input, so that one input may
    enter a patch twice: taps are counted, not distinct positions.

    Args:
        geometry: Of a convolution or a transposed convolution.
        sizes: Input positions along each axis.
    """
    edges = []
    for axis, size in enumerate(sizes):
        sources = tap_sources(geometry, axis, size)
        matrix = np.zeros((sources.shape[1], size))
        taps, outputs = np.nonzero(sources >= 0)
        np.add.at(matrix, (outputs, sources[taps, outputs]), 1)
        edges.append(matrix)
    return edges


def average_edges(
    geometry: Geometry, sizes: Sequence[int]
) -> list[NDArray[np.float64]]:
    """Return per axis the edge weights of average pooling.

    An edge of weight a out of weights that sum to s counts a s. Averages over the valid
    positions of a window have a = 1 / valid and s = 1. Where padding is counted in the
    divisor, the true weight valid / window^2 is smaller, so this covers both.
    """
    taps = conv_edges(geometry, sizes)
    return [t / np.maximum(t.sum(axis=1, keepdims=True), 1) for t in taps]


def max_edges(geometry: Geometry, sizes: Sequence[int]) -> list[NDArray[np.float64]]:
    """Return per axis the edge weights of max pooling: the positions in the window."""
    taps = conv_edges(geometry, sizes)
    return [t * t.sum(axis=1, keepdims=True) for t in taps]


def pull_back(
    counts: NDArray[np.float64], edges: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the path counts of a layer's inputs from those of its outputs.

    Args:
        counts: (outputs, ...) one axis per spatial dimension.
        edges: Per axis (outputs, inputs) edge weights.

    Returns:
        (inputs, ...) path counts.
    """
    for axis, matrix in enumerate(edges):
        counts = np.moveaxis(np.tensordot(counts, matrix, axes=(axis, 0)), -1, axis)
    return counts
