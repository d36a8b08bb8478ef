"""Sizes of the layers of a network as matrices on whole maps, for certificates."""

from __future__ import annotations

import math
from dataclasses import astuple
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from boundkit.numerics.blocks import array
from boundkit.numerics.matrix_norms import row_norms, row_sums
from boundkit.numerics.norms import frobenius_norm
from boundkit.numerics.operator_norm import upper_bound
from boundkit.numerics.path_counts import output_size
from boundkit.types import MatrixNorms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from boundkit.types import Geometry, Layer, Network, Node

__all__ = ["head_matrix", "input_sizes", "is_plain_chain", "matrix_norms"]

#: Elements beyond which a dense matrix is not copied to be factorized.
_LARGE = 2**24


def is_plain_chain(network: Network) -> bool:
    """Say whether nothing in the network rules out the bounds that unroll it."""
    barred = {"add", "norm", "unknown"}
    return not any(node.op in barred for node in network.nodes or ())


def input_sizes(network: Network) -> list[tuple[Node, tuple[int, ...]]]:
    """Return the nodes that apply layers, with the spatial shape of what they read."""
    nodes = network.nodes or ()
    shapes = {node.name: node.shape for node in nodes}
    return [(n, shapes[n.inputs[0]][1:]) for n in nodes if n.layer and n.inputs]


def _bias(layer: Layer) -> NDArray[np.float64]:
    if layer.bias is None or layer.bias.storage is None:
        return np.zeros(1)
    return np.asarray(array(layer.bias), np.float64)


def _large(layer: Layer) -> MatrixNorms:
    """Return what one pass over a dense matrix tells."""
    values = array(layer.weight)
    largest, total = row_sums(values, None, ())
    bias = _sizes(np.zeros((1, 1)), _bias(layer), None, ())
    return MatrixNorms(
        frobenius_norm(layer.weight) * (1 + 1e-9),
        row_norms(values, None, ()),
        largest,
        total,
        bias.bias,
        bias.bias_rows,
        bias.largest_bias,
    )


def _scale(values: NDArray[np.float64]) -> float:
    """Return a power of two near the largest entry, so that no square overflows."""
    _, exponent = math.frexp(float(np.max(np.abs(values), initial=0.0)))
    return math.ldexp(1.0, exponent - 1)


def _sizes(
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    geometry: Geometry | None,
    sizes: Sequence[int],
) -> MatrixNorms:
    positions = 1
    if geometry is not None:
        positions = math.prod(output_size(geometry, i, s) for i, s in enumerate(sizes))
    scale, shift = _scale(weight), _scale(bias)
    unit, offset = weight / scale, np.abs(bias / shift)
    largest, total = row_sums(unit, geometry, sizes)
    return MatrixNorms(
        scale * upper_bound(unit, geometry, sizes),
        scale * row_norms(unit, geometry, sizes),
        scale * largest,
        scale * total,
        shift * float(np.linalg.norm(offset)) * math.sqrt(positions),
        shift * float(offset.sum()) * positions,
        shift * float(offset.max()),
    )


def _larger(one: MatrixNorms, other: MatrixNorms | None) -> MatrixNorms:
    if other is None:
        return one
    return MatrixNorms(*map(max, astuple(one), astuple(other)))


def matrix_norms(network: Network) -> Mapping[str, MatrixNorms]:
    """Return the sizes of every counted layer whose input is known.

    Dense layers need no architecture. A weight that is applied to maps of several sizes
    has the largest of each number.

    Args:
        network: Traced or not.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    found: dict[str, MatrixNorms] = {}
    layers = {layer.name: layer for layer in network.layers if layer.counted}
    for name, layer in layers.items():
        if layer.kind != "linear":
            continue
        if layer.weight.numel > _LARGE:
            found[name] = _large(layer)
        else:
            weight = np.asarray(array(layer.weight), np.float64)
            found[name] = _sizes(weight, _bias(layer), None, ())
    for node, sizes in input_sizes(network):
        conv = layers.get(node.layer or "")
        geometry = node.geometry or (conv.geometry if conv else None)
        if conv is None or geometry is None or len(sizes) != len(geometry.kernel):
            continue
        weight = np.asarray(array(conv.weight), np.float64)
        sized = _sizes(weight, _bias(conv), geometry, sizes)
        found[conv.name] = _larger(sized, found.get(conv.name))
    return MappingProxyType(found)


def _relative(
    rows: NDArray[np.float64], center: NDArray[np.float64]
) -> NDArray[np.float64]:
    if rows.shape[0] == 1:
        return rows
    return rows[1:] - rows[:1] if rows.shape[0] == 2 else rows - center


def _combined(whole: MatrixNorms, outputs: int | None) -> MatrixNorms:
    """Return sizes that hold for the difference of two outputs, from those of both."""
    if outputs != 2:
        return whole
    return MatrixNorms(
        whole.operator * math.sqrt(2),
        whole.rows,
        whole.all_rows,
        whole.all_rows,
        whole.bias * math.sqrt(2),
        whole.bias_rows,
        whole.bias_rows,
    )


def head_matrix(
    network: Network, layer: Layer, whole: MatrixNorms | None, *, separable: bool
) -> MatrixNorms | None:
    """Return the sizes of the last layer as the theorems count it.

    One output: of its row. Two: of the difference of the rows. More: of the rows minus
    their mean; for l1 norms minus their median, entry by entry. Margins see no more.

    Args:
        network: It ends in this layer.
        layer: The last one that is applied.
        whole: Its sizes as they are, or None if its input is not known.
        separable: Whether its first axis are the outputs.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    if whole is None or not separable:
        return None if whole is None else _combined(whole, network.outputs)
    weight = np.asarray(array(layer.weight), np.float64)
    bias = np.broadcast_to(_bias(layer), (weight.shape[0],))
    if not np.all(np.isfinite(bias)):
        return whole
    nodes = [(n, s) for n, s in input_sizes(network) if n.layer == layer.name]
    geometry: Geometry | None = None
    sizes: tuple[int, ...] = ()
    if layer.kind != "linear":
        node, sizes = nodes[-1]
        geometry = node.geometry or layer.geometry
    euclidean = _sizes(
        _relative(weight, weight.mean(axis=0)),
        _relative(bias, bias.mean(axis=0)),
        geometry,
        sizes,
    )
    rows = _relative(weight, np.median(weight, axis=0))
    largest, total = row_sums(rows, geometry, sizes)
    shifts = np.abs(_relative(bias, np.median(bias, axis=0)))
    return MatrixNorms(
        euclidean.operator,
        euclidean.rows,
        largest,
        total,
        euclidean.bias,
        max(euclidean.bias_rows, float(shifts.sum())),
        float(shifts.max()),
    )
