"""How many paths lead from a position of one map to the output of the network.

Channels are collapsed: a position is a pixel, a layer is the graph of which position
feeds which. Window geometry is a product over dimensions, so each dimension has one
list of edges and a step backwards through a layer contracts one axis at a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.types import Geometry

__all__ = [
    "Edges",
    "average_edges",
    "conv_edges",
    "max_edges",
    "output_size",
    "pull_back",
    "push_forward",
    "tap_sources",
]


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Which positions along one axis of a map feed which of the next.

    Attributes:
        outputs: (m,) the end of every edge.
        inputs: (m,) its start; no edge is listed twice.
        weight: (m,) taps that it stands for, or what pooling counts it for.
        shape: Number of output and of input positions.
    """

    outputs: NDArray[np.int64]
    inputs: NDArray[np.int64]
    weight: NDArray[np.float64]
    shape: tuple[int, int]

    def into(self) -> NDArray[np.float64]:
        """Return (outputs,) the sum of the weights that enter each output position."""
        total = np.bincount(self.outputs, self.weight, self.shape[0])
        return np.asarray(total, np.float64)

    def out_of(self) -> NDArray[np.float64]:
        """Return (inputs,) the sum of the weights that leave each input position."""
        total = np.bincount(self.inputs, self.weight, self.shape[1])
        return np.asarray(total, np.float64)

    def present(self) -> Edges:
        """Return the same edges, each of weight 1."""
        return replace(self, weight=np.ones_like(self.weight))

    def dense(self) -> NDArray[np.float64]:
        """Return the (outputs, inputs) matrix of weights."""
        matrix = np.zeros(self.shape)
        matrix[self.outputs, self.inputs] = self.weight
        return matrix


def output_size(geometry: Geometry, axis: int, size: int) -> int:
    """Return the number of output positions along one axis of ``size`` inputs."""
    low, high = geometry.padding[axis]
    reach = geometry.dilation[axis] * (geometry.kernel[axis] - 1) + 1
    if geometry.transposed:
        extra = geometry.output_padding[axis] if geometry.output_padding else 0
        return (size - 1) * geometry.stride[axis] - low - high + reach + extra
    return (size + low + high - reach) // geometry.stride[axis] + 1


def _copied(positions: NDArray[np.int64], size: int, mode: str) -> NDArray[np.int64]:
    """Return which input positions padded ``positions`` copy, -1 for a zero."""
    if mode == "circular":
        return positions % size
    if mode == "replicate":
        return positions.clip(0, size - 1)
    if mode == "reflect":
        period = max(2 * (size - 1), 1)
        folded = positions % period
        return np.minimum(folded, period - folded)
    return np.where((positions >= 0) & (positions < size), positions, -1)


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
        reached = np.arange(outputs) * step - low + tap * spread
        found[tap] = _copied(reached, size, geometry.padding_mode)
    return found


def conv_edges(geometry: Geometry, sizes: Sequence[int]) -> list[Edges]:
    """Return per axis the numbers of taps that join two positions.

    A padded position that copies an input counts for that input, so that one input may
    enter a patch twice: taps are counted, not distinct positions.

    Args:
        geometry: Of a convolution or a transposed convolution.
        sizes: Input positions along each axis.
    """
    edges = []
    for axis, size in enumerate(sizes):
        sources = tap_sources(geometry, axis, size)
        taps, outputs = np.nonzero(sources >= 0)
        # In order of the inputs, as pull_back wants them.
        joined = sources[taps, outputs] * sources.shape[1] + outputs
        distinct, count = np.unique(joined, return_counts=True)
        inputs, outputs = np.divmod(distinct, sources.shape[1])
        shape = (sources.shape[1], size)
        edges.append(Edges(outputs, inputs, count.astype(np.float64), shape))
    return edges


def average_edges(geometry: Geometry, sizes: Sequence[int]) -> list[Edges]:
    """Return per axis the edge weights of average pooling.

    An edge of weight a out of weights that sum to s counts a s. Averages over the valid
    positions of a window have a = 1 / valid and s = 1. Where padding is counted in the
    divisor, the true weight valid / window^2 is smaller, so this covers both.
    """
    return [
        replace(taps, weight=taps.weight / taps.into()[taps.outputs])
        for taps in conv_edges(geometry, sizes)
    ]


def max_edges(geometry: Geometry, sizes: Sequence[int]) -> list[Edges]:
    """Return per axis the edge weights of max pooling: the positions in the window."""
    return [
        replace(taps, weight=taps.weight * taps.into()[taps.outputs])
        for taps in conv_edges(geometry, sizes)
    ]


#: Entries up to which a matrix of weights is made; beyond, edges are gone through.
_DENSE = 2**16


def _multiplied(
    values: NDArray[np.float64], axis: int, matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return values with one axis, counted from the end, times (after, before)."""
    # Matrices are multiplied map by map, so that equal maps have equal results.
    alone = axis == -1 and values.ndim < 3
    moved = values[..., None] if alone else np.moveaxis(values, axis, -2)
    found = matrix @ moved
    return found[..., 0] if alone else np.moveaxis(found, -2, axis)


def _gathered(
    values: NDArray[np.float64],
    axis: int,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    weight: NDArray[np.float64],
    size: int,
) -> NDArray[np.float64]:
    """Return values with one axis replaced: sums over edges, ``ends`` ascending."""
    moved = np.moveaxis(values, axis, 0)
    found = np.zeros((size, *moved.shape[1:]))
    first = np.flatnonzero(np.diff(ends, prepend=-1))
    among = np.arange(ends.size) - np.repeat(first, np.diff(first, append=ends.size))
    # One edge into every position at a time: the order of the sum is always the same.
    order = np.argsort(among, kind="stable")
    for at in np.split(order, np.flatnonzero(np.diff(among[order])) + 1):
        scale = weight[at].reshape(-1, *[1] * (moved.ndim - 1))
        found[ends[at]] += moved[starts[at]] * scale
    return np.moveaxis(found, 0, axis)


def pull_back(
    counts: NDArray[np.float64], edges: Sequence[Edges]
) -> NDArray[np.float64]:
    """Return the path counts of a layer's inputs from those of its outputs.

    Args:
        counts: (..., outputs...) the last axes are the spatial ones.
        edges: Per spatial axis.

    Returns:
        (..., inputs...) path counts.
    """
    for axis, of in enumerate(edges, -len(edges)):
        if math.prod(of.shape) <= _DENSE:
            counts = _multiplied(counts, axis, of.dense().T)
        else:
            counts = _gathered(
                counts, axis, of.outputs, of.inputs, of.weight, of.shape[1]
            )
    return counts


def push_forward(
    values: NDArray[np.float64], edges: Sequence[Edges]
) -> NDArray[np.float64]:
    """Return the weighted sum of what each output position reads.

    Args:
        values: (inputs, ...) one axis per spatial dimension.
        edges: Per axis.

    Returns:
        (outputs, ...) sums.
    """
    for axis, of in enumerate(edges):
        order = np.argsort(of.outputs, kind="stable")
        values = _gathered(
            values,
            axis,
            of.inputs[order],
            of.outputs[order],
            of.weight[order],
            of.shape[0],
        )
    return values
