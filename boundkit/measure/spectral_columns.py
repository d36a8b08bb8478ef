"""What the layer table says of a spectrum."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable
from boundkit.measure.power_law import FEWEST, power_law
from boundkit.measure.spectra import RELIABLE, layer_spectrum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.measure.spectra import Spectrum
    from boundkit.types import Layer

__all__ = ["columns", "spectral_columns"]


def columns(
    layer: Layer, spectrum: list[float] | None = None
) -> dict[str, float | None]:
    """Return the spectral columns of one layer; see ``spectral_columns``.

    Args:
        layer: Its weight is read in pieces.
        spectrum: Its singular values, largest first, where they are known already.

    Raises:
        NotApplicable: The matrix is empty, not finite, zero, or cannot be read.
        Unreadable: The bytes of the weight are not there.
    """
    if spectrum is not None:
        return _columns(spectrum, 2e-9)
    return spectral_columns(layer_spectrum(layer))


def spectral_columns(spectrum: Spectrum) -> dict[str, float | None]:
    """Return what the layer table says of a spectrum.

    Returns:
        ``spectral_norm`` s_1, ``stable_rank`` sum s^2 / s_1^2, ``effective_rank``
        exp of the entropy of s^2 / sum s^2, ``numerical_rank`` number of
        s > 1e-3 s_1, ``participation_ratio`` (sum s^2)^2 / sum s^4, ``s3_over_s1``,
        ``nuclear_norm`` sum s, ``condition`` s_1 / s_min, ``alpha`` the exponent of the
        power law that fits the largest s^2 best, ``theorem7_factor``
        sqrt(numerical rank / smaller side), a heuristic: Xu et al. (2023), Theorem 7,
        is a ratio at fixed spectral norm and must not be multiplied into rho. What
        takes the whole spectrum is None where only its top is known, alpha also for
        fewer than 50 values, condition where s_min is below ``floor``.
    """
    if spectrum.complete:
        return _columns(spectrum.values.tolist(), spectrum.floor)
    s = spectrum.values.tolist()
    found: dict[str, float | None] = dict.fromkeys(_columns([1.0], 1.0))
    found["spectral_norm"] = s[0]
    found["stable_rank"] = (spectrum.frobenius / s[0]) ** 2
    found["s3_over_s1"] = s[2] / s[0] if len(s) > 2 else None
    return found


def _columns(s: list[float], floor: float) -> dict[str, float | None]:
    # Lists, for arrays as short as these cost more in calls than in arithmetic.
    unit = [value / s[0] for value in s]
    energy = [value * value for value in unit]
    total = math.fsum(energy)
    shares = [e / total for e in energy]
    entropy = -math.fsum(p * math.log(p) for p in shares if p > 0)
    rank = sum(value > 1e-3 for value in unit)
    return {
        "spectral_norm": s[0],
        "stable_rank": total,
        "effective_rank": math.exp(entropy),
        "numerical_rank": float(rank),
        "participation_ratio": total**2 / math.fsum(e * e for e in energy),
        "s3_over_s1": unit[2] if len(s) > 2 else None,
        "nuclear_norm": math.fsum(s),
        "condition": 1 / unit[-1] if unit[-1] >= floor else None,
        "alpha": _alpha(unit),
        "theorem7_factor": math.sqrt(rank / len(s)),
    }


def _alpha(unit: Sequence[float]) -> float | None:
    if len(unit) < FEWEST:
        return None
    values = np.asarray(unit)
    try:
        return power_law(values[values > RELIABLE] ** 2).alpha
    except NotApplicable:
        return None
