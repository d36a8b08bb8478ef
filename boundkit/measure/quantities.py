"""The numbers people compare networks by: complexity measures, sizes of bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.galanti2023_literal import galanti2023_literal
from boundkit.measure.jiang2020 import jiang2020
from boundkit.measure.jiang2020_sharpness import changes, sharpness_measures
from boundkit.measure.long_sedghi2020 import long_sedghi2020
from boundkit.measure.path_norm import path_norm
from boundkit.measure.pinto2024 import pinto2024
from boundkit.measure.spectral_columns import columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.measure.distances import Distance
    from boundkit.types import Evidence, Layer, Measurement, Network, Norms

__all__ = ["quantities"]


def _spectrum(
    layer: Layer, known: Mapping[str, Mapping[str, float | None]]
) -> Mapping[str, float | None]:
    if layer.name in known:
        return known[layer.name]
    try:
        return columns(layer)
    except NotApplicable:
        return {}


def _column(
    spectra: Mapping[str, Mapping[str, float | None]], name: str
) -> dict[str, float] | None:
    """Return one column of all layers, None if it is not known of all."""
    found = {layer: row.get(name) for layer, row in spectra.items()}
    known = {layer: value for layer, value in found.items() if value is not None}
    return known if known and len(known) == len(found) else None


def _percentile(sample: Evidence | None) -> float | None:
    if sample is None or sample.margins is None:
        return None
    return float(np.quantile(sample.margins, 0.1))


def _of_spectra(
    layers: list[Layer],
    spectra: Mapping[str, Mapping[str, float | None]],
    moved: Mapping[str, Distance] | None,
    sample: Evidence | None,
    delta: float,
) -> tuple[Measurement, ...]:
    norms, ranks = _column(spectra, "spectral_norm"), _column(spectra, "numerical_rank")
    if norms is None or ranks is None:
        return ()
    widths = [x.weight.shape[x.kind.startswith("conv_transpose")] for x in layers]
    found = [pinto2024(list(norms.values()), list(ranks.values()), widths)]
    change = _spectral_changes(moved)
    if sample is not None:
        margin = _percentile(sample)
        parameters = sum(
            x.weight.numel + (x.bias.numel if x.bias else 0) for x in layers
        )
        used = margin if margin is not None and margin > 0 else 1.0
        known = change is not None
        sizes = norms if change is None else change
        found.append(
            long_sedghi2020(sizes, parameters, used, sample.n, delta, from_start=known)
        )
    return tuple(found)


def _spectral_changes(moved: Mapping[str, Distance] | None) -> dict[str, float] | None:
    if moved is None:
        return None
    found = {k: d.spectral for k, d in moved.items() if d.spectral is not None}
    return found if len(found) == len(moved) else None


def _sharpness(
    network: Network,
    norms: Mapping[str, float],
    moved: Mapping[str, Distance] | None,
    sample: Evidence,
) -> tuple[Measurement, ...]:
    known = (sample.sharpness, sample.relative_sharpness)
    if known == (None, None):
        return ()
    return sharpness_measures(
        *known,
        math.fsum(v * v for v in norms.values()),
        None
        if moved is None
        else changes(network, {k: d.start for k, d in moved.items()}),
        sample.n,
    )


def quantities(
    network: Network,
    sizes: Norms,
    log_rho: float | None,
    sample: Evidence | None,
    delta: float,
    *,
    spectra: Mapping[str, Mapping[str, float | None]] | None,
    moved: Mapping[str, Distance] | None,
) -> tuple[Measurement, ...]:
    """Return complexity measures and sizes of bounds, as far as inputs are known.

    Args:
        network: As the bounds see it, normalization folded.
        sizes: Norms of its weights.
        log_rho: Natural logarithm of the product of norms, None if undefined.
        sample: The training sample, or None.
        delta: The probability of failure that the formulas speak of.
        spectra: Spectral columns of layers that are as stored; None leaves out what
            depends on spectra.
        moved: How far each counted layer went in training, after the same passes, or
            None.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    layers = [x for x in network.layers if x.counted]
    found: tuple[Measurement, ...] = ()
    if sample is not None and log_rho is not None:
        found += (galanti2023_literal(network, log_rho, sample, delta),)
    norms = {x.name: sizes.weight[x.name] for x in layers}
    if not norms or not all(0 < v < math.inf for v in norms.values()):
        return found
    known: dict[str, Mapping[str, float | None]] | None = None
    if spectra is not None:
        known = {x.name: _spectrum(x, spectra) for x in layers}
        found += _of_spectra(layers, known, moved, sample, delta)
    if sample is None:
        return found
    found += _sharpness(network, norms, moved, sample)
    return found + jiang2020(
        norms,
        None if known is None else _column(known, "spectral_norm"),
        None if moved is None else {k: d.frobenius for k, d in moved.items()},
        _spectral_changes(moved),
        _percentile(sample),
        path_norm(network) if network.nodes else None,
        sample.n,
    )
