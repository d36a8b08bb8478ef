"""Norms of the layers, one pass over the weights."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from boundkit.numerics.blocks import array
from boundkit.numerics.norms import frobenius_norm, norm_of_blocks
from boundkit.types import Norms

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from boundkit.types import Layer, Network, StoredTensor

__all__ = ["head_norms", "norms"]

#: Rows of the head that are turned into float64 at a time.
_ROWS = 1024


def norms(
    network: Network, progress: Callable[[int, int], None] | None = None
) -> Norms:
    """Return the Frobenius norm of every layer's weight and bias, in float64.

    A NaN or infinite weight gives a NaN or infinite norm; nothing is raised for it.

    Args:
        network: Layers; a tied layer is one layer.
        progress: Called with the number of layers done and their total.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    weight: dict[str, float] = {}
    bias: dict[str, float] = {}
    for done, layer in enumerate(network.layers):
        weight[layer.name] = frobenius_norm(layer.weight)
        if layer.bias is not None and layer.bias.storage is not None:
            bias[layer.name] = frobenius_norm(layer.bias)
        if progress is not None:
            progress(done + 1, len(network.layers))
    return Norms(MappingProxyType(weight), MappingProxyType(bias))


def _length(values: NDArray[np.float64]) -> float:
    return norm_of_blocks([values.ravel()])


def _centered(rows: NDArray[np.float64]) -> float:
    """Return the norm of (C, d) rows as margins see them."""
    if rows.shape[0] == 1:
        return _length(rows)
    if rows.shape[0] == 2:
        return _length(rows[1] - rows[0])
    mean = np.zeros(rows.shape[1])
    for first in range(0, rows.shape[0], _ROWS):
        mean += rows[first : first + _ROWS].astype(np.float64).sum(axis=0)
    mean /= rows.shape[0]
    return norm_of_blocks(
        (rows[first : first + _ROWS] - mean).ravel()
        for first in range(0, rows.shape[0], _ROWS)
    )


def _rows(tensor: StoredTensor) -> NDArray[np.float64]:
    values = array(tensor)
    return np.asarray(values.reshape(values.shape[0], -1), np.float64)


def head_norms(layer: Layer) -> tuple[float, float]:
    """Return the norms of the last layer's weight and bias as the bounds count them.

    One output: of its row. Two: of the difference of the rows, since only that decides.
    More: of the rows minus their mean, which leaves every margin as it is.

    Args:
        layer: A dense or convolutional layer whose first axis are the outputs.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    weight = _centered(_rows(layer.weight))
    if layer.bias is None or layer.bias.storage is None:
        return weight, 0.0
    return weight, _centered(_rows(layer.bias))
