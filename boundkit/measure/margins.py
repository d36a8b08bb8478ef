"""Statistics of margins, raw and over the product of norms."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["margin_summary"]

#: Decimal exponents of rho beyond which margins over rho leave the range of floats.
_LARGEST_EXPONENT = 300


def margin_summary(
    margins: NDArray[np.float64],
    log10_rho: float | None,
    weight_decay: float | None = None,
) -> dict[str, Any]:
    """Summarize margins, and compare rho with the equilibrium of the square loss.

    Quantiles interpolate linearly; the variance divides by n. With normalized margins
    m = margins / rho, mean mu, second moment M, variance s2 and weight decay lam on
    rho^2, the equilibrium is rho_eq = mu / (M + lam) (P1 eq. 7), its loss epsilon =
    (s2 + lam) / (mu^2 + s2 + lam) (P1 eq. 8) and the flow at the present rho is rho_dot
    = 2 (mu - rho (M + lam)) (P1 eq. 6). The interpolation gap is 1 - rho mu, how far
    the mean raw margin is from 1; at rho_eq it equals epsilon. P1: Xu, Rangamani, Liao,
    Galanti, Poggio, Dynamics in deep classifiers trained with the square loss.

    Args:
        margins: (n,) raw margins, y f or f_y - max of the others.
        log10_rho: Of the product of norms; None if it is not known.
        weight_decay: lam; None if it is not known.

    Returns:
        Name -> value; ``normalized`` has the same statistics over rho, and the
        equilibrium where lam is known. None stands for what is undefined or overflows.
    """
    # What overflows becomes None below.
    with np.errstate(over="ignore", invalid="ignore"):
        summary = _statistics(margins)
        if log10_rho is None or abs(log10_rho) > _LARGEST_EXPONENT:
            return summary | {"normalized": None}
        rho = 10.0**log10_rho
        scaled = margins / rho
        normalized = _statistics(scaled) | _equilibrium(scaled, rho, weight_decay)
    return summary | {"normalized": normalized}


def _defined(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _statistics(margins: NDArray[np.float64]) -> dict[str, Any]:
    mean = margins.mean()
    low, q01, q05, q10, median = np.quantile(margins, [0, 0.01, 0.05, 0.1, 0.5])
    values = {
        "mean": mean,
        "second_moment": np.square(margins).mean(),
        "variance": np.square(margins - mean).mean(),
        "min": low,
        "q01": q01,
        "q05": q05,
        "q10": q10,
        "median": median,
        "train_error": (margins <= 0).mean(),
    }
    return {name: _defined(value) for name, value in values.items()} | {
        "separable": bool((margins > 0).all())
    }


def _equilibrium(
    margins: NDArray[np.float64], rho: float, weight_decay: float | None
) -> dict[str, float | None]:
    mean = margins.mean()
    gap = {"interpolation_gap": _defined(1 - rho * mean)}
    if weight_decay is None:
        return {"rho_eq": None, "epsilon": None, "rho_dot": None} | gap
    variance = np.square(margins - mean).mean()
    moment = mean**2 + variance + weight_decay
    if moment == 0:
        return {"rho_eq": None, "epsilon": None, "rho_dot": None} | gap
    return {
        "rho_eq": _defined(mean / moment),
        "epsilon": _defined((variance + weight_decay) / moment),
        "rho_dot": _defined(2 * (mean - rho * moment)),
    } | gap
