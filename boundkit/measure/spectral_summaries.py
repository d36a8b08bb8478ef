"""What is read off whole spectra besides the columns of the layer table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.power_law import FEWEST, power_law
from boundkit.measure.spectra import RELIABLE
from boundkit.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from boundkit.measure.spectra import Spectrum
    from boundkit.types import Layer, Network

__all__ = [
    "low_rank_errors",
    "mp_soft_rank",
    "rank_of_energy",
    "spectral_measurements",
]

_ECKART = "Eckart, Young (1936)"
_CLAUSET = "Clauset, Shalizi, Newman (2009), eq. (3.1), section 3.3"
_MARTIN = "Martin, Mahoney (2021), Implicit self-regularization in deep neural networks"
_P1 = "Xu et al. (2023), section 6.1"
#: Columns of which the rank statistics over layers are made.
_RANKS = ("numerical_rank", "stable_rank", "effective_rank")


def low_rank_errors(spectrum: Spectrum) -> NDArray[np.float64]:
    """Return the relative Frobenius error of the best approximation of each rank.

    Returns:
        (n + 1,) for the ranks 0 to n: 1 first, 0 last; Eckart, Young (1936).

    Raises:
        NotApplicable: Only the top of the spectrum is known.
    """
    if not spectrum.complete:
        raise NotApplicable("the curve takes the whole spectrum")
    unit = spectrum.values / spectrum.values[0]
    tail = np.cumsum((unit * unit)[::-1])[::-1]
    return np.asarray(np.sqrt(np.r_[tail, 0.0] / tail[0]))


def rank_of_energy(spectrum: Spectrum, share: float = 0.99) -> int:
    """Return the smallest rank that keeps a share of the squared Frobenius norm.

    Raises:
        NotApplicable: Only the top of the spectrum is known.
    """
    lost = low_rank_errors(spectrum) ** 2
    # The last sums are rounding; a share of 1 is reached where nothing is left.
    return int(np.argmax(lost <= max(1 - share, 0) + 1e-15))


def mp_soft_rank(spectrum: Spectrum) -> float:
    """Return the edge of a random matrix of this size over the largest s^2.

    The edge is ``v (sqrt(m) + sqrt(n))^2`` with the mean square v of the entries;
    Marchenko and Pastur (1967), for the largest value Yin, Bai, Krishnaiah (1988). The
    spikes of a trained matrix are part of v, so the edge is no lower than that of its
    noise alone.
    """
    root = math.sqrt(spectrum.rows) + math.sqrt(spectrum.rest)
    stable = (spectrum.frobenius / float(spectrum.values[0])) ** 2
    return stable * root**2 / (spectrum.rows * spectrum.rest)


def _log10_power_sum(s: NDArray[np.float64], alpha: float) -> float:
    """Return ``log10 sum s^(2 alpha)`` without leaving the range of float64."""
    top = math.log10(s[0])
    return 2 * alpha * top + math.log10(float(np.sum((s / s[0]) ** (2 * alpha))))


def _of_layer(name: str, spectrum: Spectrum) -> list[Measurement]:
    s = spectrum.values
    top = 2 * math.log10(s[0])
    soft = mp_soft_rank(spectrum)
    found = [
        Measurement("log10_lambda_max", top, "1", _MARTIN, name),
        Measurement("mp_soft_rank", soft, "1", _MARTIN, name),
    ]
    if not spectrum.complete:
        return found
    share = s / spectrum.frobenius
    p = share[share > 0] ** 2
    entropy = -float(np.sum(p * np.log(p))) / math.log(len(s))
    rank = float(rank_of_energy(spectrum))
    spikes = float(np.count_nonzero((s / s[0]) ** 2 > soft))
    found += [
        Measurement("rank_99", rank, "1", _ECKART, name),
        Measurement("spectral_entropy", entropy, "1", _MARTIN, name),
        Measurement("mp_spikes", spikes, "1", _MARTIN, name),
    ]
    return found + _of_power_law(name, s, top)


def _of_power_law(name: str, s: NDArray[np.float64], top: float) -> list[Measurement]:
    unit = s[s > RELIABLE * s[0]] / s[0]
    try:
        fit = power_law(unit * unit)
    except NotApplicable:
        return []
    start = fit.x_min * s[0] ** 2
    return [
        Measurement("power_law.alpha", fit.alpha, "1", _CLAUSET, name, fit.stderr),
        Measurement("power_law.x_min", start, "1", _CLAUSET, name),
        Measurement("power_law.distance", fit.distance, "1", _CLAUSET, name),
        Measurement("power_law.tail", float(fit.tail), "1", _CLAUSET, name),
        Measurement("alpha_weighted", fit.alpha * top, "1", _MARTIN, name),
        Measurement(
            "log10_alpha_norm", _log10_power_sum(s, fit.alpha), "1", _MARTIN, name
        ),
    ]


def _over_layers(
    layers: list[Layer], columns: Mapping[str, Mapping[str, float | None]]
) -> list[Measurement]:
    """Return median, mean and largest of the ranks of the counted layers."""
    found = []
    for column in _RANKS:
        values = [columns.get(x.name, {}).get(column) for x in layers]
        known = [value for value in values if value is not None]
        if not known or len(known) < len(values):
            continue
        for name, value in (
            ("median", float(np.median(known))),
            ("mean", math.fsum(known) / len(known)),
            ("max", max(known)),
        ):
            found.append(Measurement(f"{column}.{name}", value, "1", _P1))
    return found


def spectral_measurements(
    network: Network,
    columns: Mapping[str, Mapping[str, float | None]],
    spectra: Mapping[str, Spectrum],
) -> tuple[Measurement, ...]:
    """Return measurements of spectra, of s^2 of the filter matrix, outputs x rest.

    Per layer with a side of at least 50: ``rank_99``, ``spectral_entropy``,
    ``mp_soft_rank`` (Marchenko-Pastur edge over lambda_max), ``mp_spikes`` beyond it,
    ``power_law.*`` with the standard error, ``alpha_weighted``, ``log10_alpha_norm``.
    Over the counted layers: median, mean and largest of the ranks, where all are known,
    and the mean of alpha.

    Args:
        network: Its counted layers make the statistics.
        columns: Of the layer table.
        spectra: Of its layers; those that are missing are too small to matter.
    """
    found: list[Measurement] = []
    for name, spectrum in spectra.items():
        if min(spectrum.rows, spectrum.rest) >= FEWEST:
            found += _of_layer(name, spectrum)
    counted = [x for x in network.layers if x.counted]
    found += _over_layers(counted, columns)
    alphas = [columns.get(x.name, {}).get("alpha") for x in counted]
    known = [alpha for alpha in alphas if alpha is not None]
    if known:
        mean = math.fsum(known) / len(known)
        found.append(Measurement("power_law.alpha.mean", mean, "1", _MARTIN))
    return tuple(found)
