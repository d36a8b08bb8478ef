"""Statistics of margins, raw and over the product of norms."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.types import Alignment

__all__ = ["margin_summary"]

#: Bins of the histogram.
_BINS = 40
#: Where the flow of the square loss rests, and how far from it the net is.
_EQUILIBRIUM = ("rho_eq", "epsilon", "rho_dot", "equilibrium_gap")
#: Decimal exponents of rho beyond which margins over rho leave the range of floats.
_LARGEST_EXPONENT = 300


def margin_summary(
    margins: NDArray[np.float64],
    log10_rho: float | None,
    weight_decay: float | None = None,
    alignment: Alignment | None = None,
) -> dict[str, Any]:
    """Summarize margins, and compare rho with the equilibrium of the square loss.

    Quantiles interpolate linearly; the variance divides by n; the histogram has equal
    bins from the least to the largest margin. With normalized margins m = margins / rho
    of a net with one output, mean mu, second moment M, variance s2 and weight decay lam
    on rho^2, the equilibrium is rho_eq = mu / (M + lam) (P1 eq. 7), its loss epsilon =
    (s2 + lam) / (mu^2 + s2 + lam) (P1 eq. 8) and the flow at the present rho is rho_dot
    = 2 (mu - rho (M + lam)) (P1 eq. 6). The interpolation gap is 1 - rho mu, how far
    the mean raw margin is from 1; at rho_eq it equals epsilon. The equilibrium gap is
    rho - rho_eq.

    With C >= 2 outputs f and targets of 1 and -1/(C - 1), mu is the mean of their inner
    product and M that of ||f||^2, both normalized; epsilon is the loss at equilibrium
    over that of f = 0, 1 - mu^2 (C - 1) / (C (M + lam)) (P1 eqs. 33, 34), and the
    interpolation gap 1 - rho mu (C - 1) / C. P1: Xu, Rangamani, Liao, Galanti, Poggio,
    Dynamics in deep classifiers trained with the square loss.

    Args:
        margins: (n,) raw margins, y f or f_y - max of the others.
        log10_rho: Of the product of norms; None if it is not known.
        weight_decay: lam; None if it is not known.
        alignment: Of the outputs with centered targets, where there are several.

    Returns:
        Name -> value; ``normalized`` has the same statistics over rho, and the
        equilibrium where lam is known. None stands for what is undefined or overflows.
    """
    # What overflows becomes None below.
    with np.errstate(over="ignore", invalid="ignore"):
        summary = _statistics(margins)
        if log10_rho is None or abs(log10_rho) > _LARGEST_EXPONENT:
            names = (*_EQUILIBRIUM, "interpolation_gap")
            return summary | dict.fromkeys(names) | {"normalized": None}
        rho = 10.0**log10_rho
        scaled = margins / rho
        moments = _moments(scaled, rho, alignment)
        equilibrium = _equilibrium(*moments, rho, weight_decay)
        normalized = _statistics(scaled) | equilibrium
    # Of the net rather than of one scale of its margins, so they stand with both.
    return summary | equilibrium | {"normalized": normalized}


def _defined(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _statistics(margins: NDArray[np.float64]) -> dict[str, Any]:
    mean = margins.mean()
    ranks = [0, 0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99, 1]
    low, q01, q05, q10, median, q90, q95, q99, high = np.quantile(margins, ranks)
    values = {
        "mean": mean,
        "second_moment": np.square(margins).mean(),
        "variance": np.square(margins - mean).mean(),
        "min": low,
        "q01": q01,
        "q05": q05,
        "q10": q10,
        "median": median,
        "q90": q90,
        "q95": q95,
        "q99": q99,
        "max": high,
        "train_error": (margins <= 0).mean(),
    }
    return {name: _defined(value) for name, value in values.items()} | {
        "separable": bool((margins > 0).all()),
        "histogram": _histogram(margins, low, high),
    }


def _histogram(
    margins: NDArray[np.float64], low: float, high: float
) -> dict[str, list[Any]] | None:
    if not isfinite(high - low):
        return None
    edges = np.linspace(low, high, _BINS + 1)
    # Margins that differ by rounding alone share one bin.
    if not (np.diff(edges) > 0).all():
        return {"edges": [float(low), float(high)], "counts": [margins.size]}
    counts, _ = np.histogram(margins, edges)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _moments(
    margins: NDArray[np.float64], rho: float, alignment: Alignment | None
) -> tuple[float, float, float]:
    """Return mu, M - mu^2 / |target|^2, and |target|^2."""
    if alignment is None:
        mean = float(margins.mean())
        return mean, float(np.square(margins - mean).mean()), 1.0
    target = alignment.classes / (alignment.classes - 1)
    mean = alignment.mean / rho
    rest = alignment.energy / rho**2 - mean**2 / target
    return mean, max(rest, 0.0), target


def _equilibrium(
    mean: float, rest: float, target: float, rho: float, weight_decay: float | None
) -> dict[str, float | None]:
    gap = {"interpolation_gap": _defined(1 - rho * mean / target)}
    if weight_decay is None:
        return dict.fromkeys(_EQUILIBRIUM) | gap
    moment = mean**2 / target + rest + weight_decay
    if moment == 0:
        return dict.fromkeys(_EQUILIBRIUM) | gap
    values = (
        mean / moment,
        (rest + weight_decay) / moment,
        2 * (mean - rho * moment),
        rho - mean / moment,
    )
    return {n: _defined(v) for n, v in zip(_EQUILIBRIUM, values, strict=True)} | gap
