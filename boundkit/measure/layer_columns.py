"""The spectral columns of the layer table, operators included."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.small_spectra import small_spectra
from boundkit.measure.spectra import columns
from boundkit.measure.unrolled import input_sizes
from boundkit.numerics.blocks import array
from boundkit.numerics.path_counts import output_size
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from boundkit.types import Geometry, Layer, Network, Norms

__all__ = ["layer_columns"]

#: Multiplications of one application of a convolution that are still quick: a second or
#: two for all of them together.
_QUICK = 1.5e8
#: Below this float64 costs nothing.
_TINY = 1e7
#: Largest residual, relative, at which an estimate is worth showing.
_GOOD = 1e-2


def _operator_norm(
    layer: Layer, geometry: Geometry, sizes: Sequence[int]
) -> float | None:
    """Return the norm of a convolution on whole maps, None where that takes long."""
    from boundkit.numerics.lanczos import operator_norm

    positions = (output_size(geometry, i, s) for i, s in enumerate(sizes))
    many = math.prod(sizes) if geometry.transposed else math.prod(positions)
    work = float(layer.weight.numel) * many
    if work > _QUICK:
        return None
    weight: NDArray[np.float32 | np.float64] = np.asarray(
        array(layer.weight), np.float64 if work <= _TINY else np.float32
    )
    tolerance = 1e-8 if work <= _TINY else 1e-3
    norm, residual = operator_norm(
        weight, geometry, sizes, tolerance=tolerance, steps=60
    )
    return norm if residual <= _GOOD * norm else None


def _operators(network: Network) -> dict[str, tuple[Geometry, tuple[int, ...]]]:
    """Return the first use of each convolution whose input is known."""
    layers = {layer.name: layer for layer in network.layers}
    found: dict[str, tuple[Geometry, tuple[int, ...]]] = {}
    for node, sizes in input_sizes(network):
        layer = layers.get(node.layer or "")
        geometry = node.geometry or (layer.geometry if layer else None)
        if layer is not None and geometry is not None:
            found.setdefault(layer.name, (geometry, sizes))
    return found


def layer_columns(
    network: Network,
    norms: Norms,
    progress: Callable[[int, int | None, str], None] | None,
) -> tuple[dict[str, Mapping[str, float | None]], tuple[Notice, ...]]:
    """Return the spectral columns of every layer that has a spectrum.

    ``operator_norm`` is the largest singular value of the layer on whole maps: that of
    the matrix for a dense layer, an estimate from below to about three digits for a
    convolution whose input size is known, else None.

    Args:
        network: Traced or not.
        norms: Of its weights; layers that are zero or not finite are left out.
        progress: Called with layers done, their total, and a label.

    Returns:
        Layer -> columns, and a notice for each layer that has none.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    found: dict[str, Mapping[str, float | None]] = {}
    notices: list[Notice] = []
    operators = _operators(network)
    ready = small_spectra(network.layers, norms.weight)
    for done, layer in enumerate(network.layers):
        # Layers without a spectrum for lack of finite numbers are named already.
        if 0 < norms.weight[layer.name] < math.inf:
            try:
                row = columns(layer, ready.get(layer.name))
            except NotApplicable as reason:
                why = f"no spectral columns for {layer.name}: {reason}"
                notices.append(Notice("no-spectrum", why, layer.name))
            else:
                used = operators.get(layer.name)
                norm = None if used is None else _operator_norm(layer, *used)
                if layer.kind == "linear":
                    norm = row["spectral_norm"]
                found[layer.name] = row | {"operator_norm": norm}
        if progress is not None:
            progress(done + 1, len(network.layers), "spectra")
    return found, tuple(notices)
