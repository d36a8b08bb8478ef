"""The spectral columns of the layer table, operators included."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.small_spectra import small_spectra
from boundkit.measure.spectra import layer_spectrum, thinned
from boundkit.measure.spectral_columns import columns, spectral_columns
from boundkit.measure.unrolled import input_sizes
from boundkit.numerics.blocks import array
from boundkit.numerics.path_counts import output_size
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from boundkit.measure.spectra import Extent, Spectrum
    from boundkit.types import Geometry, Layer, Network, Norms

__all__ = ["Spectra", "layer_columns", "layer_spectra"]

#: Multiplications of one application of a convolution that are still quick: a second or
#: two for all of them together.
_QUICK = 1.5e8
#: Below this float64 costs nothing.
_TINY = 1e7
#: Largest residual, relative, at which an estimate is worth showing.
_GOOD = 1e-2
#: Layers beyond which no report carries points of their spectra.
_MOST_DRAWN = 1000
#: Points of one spectrum, for figures.
_POINTS = 64
#: Names that a notice spells out.
_NAMED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """What is known of the spectra of a network.

    Attributes:
        columns: Layer name -> columns of the layer table.
        spectra: Layer name -> singular values; small layers of one shape that were
            decomposed together are left out, ``layer_spectrum`` has theirs.
        notices: One for each layer without columns, and of what was left out.
        points: Layer name -> some pairs (rank from 1, singular value), for figures;
            empty where there are very many layers.
    """

    columns: Mapping[str, Mapping[str, float | None]]
    spectra: Mapping[str, Spectrum]
    notices: tuple[Notice, ...]
    points: Mapping[str, tuple[tuple[int, float], ...]]


def _work(layer: Layer, geometry: Geometry, sizes: Sequence[int]) -> float:
    positions = (output_size(geometry, i, s) for i, s in enumerate(sizes))
    many = math.prod(sizes) if geometry.transposed else math.prod(positions)
    return float(layer.weight.numel) * many


def _operator_norm(
    layer: Layer, geometry: Geometry, sizes: Sequence[int], extent: Extent
) -> float | None:
    """Return the norm of a convolution on whole maps, None where it is not known."""
    from boundkit.numerics.lanczos import operator_norm

    exact = extent == "full" or _work(layer, geometry, sizes) <= _TINY
    weight: NDArray[np.float32 | np.float64] = np.asarray(
        array(layer.weight), np.float64 if exact else np.float32
    )
    tolerance, steps = (1e-6, 300) if extent == "full" else (1e-3, 60)
    norm, residual = operator_norm(
        weight, geometry, sizes, tolerance=1e-8 if exact else tolerance, steps=steps
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


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _left_out(partial: Sequence[str], waiting: Sequence[str]) -> list[Notice]:
    """Say what a call with ``"full"`` would add."""
    found = []
    if partial:
        found.append(
            Notice(
                "partial-spectrum",
                f"only the largest singular values of {_listed(partial)} were computed,"
                " columns of the whole spectrum are empty; spectra 'full' has them where"
                " memory allows",
                partial[0] if len(partial) == 1 else None,
            )
        )
    if waiting:
        found.append(
            Notice(
                "no-operator-norm",
                f"the operator norm of {_listed(waiting)} would take long and was left"
                " out; spectra 'full' computes it",
                waiting[0] if len(waiting) == 1 else None,
            )
        )
    return found


def layer_spectra(
    network: Network,
    norms: Norms,
    progress: Callable[[int, int | None, str], None] | None = None,
    extent: Extent = "auto",
) -> Spectra:
    """Return the spectra of all layers that have one.

    ``operator_norm`` is the largest singular value of the layer on whole maps, padded
    as the layer does: that of the matrix for a dense layer, an estimate from below for
    a convolution whose input size is known, else None. It is right to about three
    digits, with ``"full"`` to six; a convolution of more than 1.5e8 multiplications is
    left out and named, unless ``"full"`` asks for it.

    Args:
        network: Traced or not.
        norms: Of its weights; layers that are zero or not finite are left out.
        progress: Called with layers done, their total, and a label.
        extent: How much to compute; ``"none"`` for nothing.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    if extent == "none":
        return Spectra({}, {}, (), {})
    rows: dict[str, Mapping[str, float | None]] = {}
    spectra: dict[str, Spectrum] = {}
    notices: list[Notice] = []
    waiting: list[str] = []
    operators = _operators(network)
    ready = small_spectra(network.layers, norms.weight)
    for done, layer in enumerate(network.layers):
        norm, name = norms.weight[layer.name], layer.name
        # Layers without a spectrum for lack of finite numbers are named already.
        if 0 < norm < math.inf:
            try:
                row, found = _row(layer, ready.get(name), norm, extent)
            except NotApplicable as reason:
                why = f"no spectral columns for {name}: {reason}"
                notices.append(Notice("no-spectrum", why, name))
            else:
                used = operators.get(name)
                rows[name] = row | _operator(layer, row, used, extent, waiting)
                if found is not None:
                    spectra[name] = found
        if progress is not None:
            progress(done + 1, len(network.layers), "spectra")
    partial = [k for k, v in spectra.items() if not v.complete and extent != "top"]
    told = (*notices, *_left_out(partial, waiting))
    return Spectra(rows, spectra, told, _points(spectra, ready, len(rows)))


def _points(
    spectra: Mapping[str, Spectrum], ready: Mapping[str, Sequence[float]], layers: int
) -> dict[str, tuple[tuple[int, float], ...]]:
    if layers > _MOST_DRAWN:
        return {}
    known = {name: one.values for name, one in spectra.items()}
    found = {name: thinned(values, _POINTS) for name, values in known.items()}
    found |= {name: thinned(values, _POINTS) for name, values in ready.items()}
    return {
        name: tuple((rank, float(f"{value:.6g}")) for rank, value in pairs)
        for name, pairs in found.items()
    }


def _row(
    layer: Layer, ready: list[float] | None, norm: float, extent: Extent
) -> tuple[dict[str, float | None], Spectrum | None]:
    if ready is not None:
        return columns(layer, ready), None
    found = layer_spectrum(layer, extent, norm=norm)
    return spectral_columns(found), found


def _operator(
    layer: Layer,
    row: Mapping[str, float | None],
    used: tuple[Geometry, tuple[int, ...]] | None,
    extent: Extent,
    waiting: list[str],
) -> dict[str, float | None]:
    """Return the column of the operator norm; ``waiting`` gets the name of the slow."""
    if layer.kind == "linear":
        return {"operator_norm": row["spectral_norm"]}
    if used is None:
        return {"operator_norm": None}
    if extent != "full" and _work(layer, *used) > _QUICK:
        waiting.append(layer.name)
        return {"operator_norm": None}
    return {"operator_norm": _operator_norm(layer, *used, extent)}


def layer_columns(
    network: Network,
    norms: Norms,
    progress: Callable[[int, int | None, str], None] | None,
    extent: Extent = "auto",
) -> tuple[dict[str, Mapping[str, float | None]], tuple[Notice, ...]]:
    """Return the columns and notices of ``layer_spectra``.

    Args:
        network: Traced or not.
        norms: Of its weights.
        progress: Called with layers done, their total, and a label.
        extent: How much to compute.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    found = layer_spectra(network, norms, progress, extent)
    return dict(found.columns), found.notices
