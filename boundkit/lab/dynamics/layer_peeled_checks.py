"""What P4 says of the layer-peeled model, beside what was found along a path."""

from __future__ import annotations

from dataclasses import replace
from itertools import starmap
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.checks import at_most, equal, open_claim, residual
from boundkit.lab.dynamics.layer_peeled_rows import METRICS
from boundkit.lab.dynamics.limits import approached

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.lab.dynamics.checks import Check
    from boundkit.lab.dynamics.layer_peeled_rows import Path

    Numbers = NDArray[np.float64]

__all__ = ["checks"]

#: Of bounds, of limits, and of exponents that a paper calls approximate.
_ROUNDING, _NEAR, _ABOUT = 1e-9, 0.05, 0.25
#: Metrics below are what rounding leaves.
_EXACT = 1e-12


def checks(path: Path, *, ended: bool) -> tuple[Check, ...]:
    """Hold a path against Theorems 3.1 to 3.3, Lemma B.1 and appendix D.

    Args:
        path: With three rows at least.
        ended: Whether it came to its end; what diverges says nothing of limits.
    """
    found = (*_bounds(path), *_course(path))
    if not ended:
        return found
    rate = () if path.saddle is not None else (_rate(path),)
    return (*found, *_limits(path), *rate)


def _largest(values: Numbers) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else None


def _bounds(path: Path) -> tuple[Check, ...]:
    named = path.named
    gap = named["log10_loss_bound"] - named["log10_loss"]
    rows = (
        (
            "margin",
            "q over (||W||^2 + ||H||^2) / (2 (K-1) sqrt(n)) is at most 1 (largest met)",
            "P4 Theorem 3.1",
            1.0,
            named["margin_efficiency"],
        ),
        (
            "loss",
            "the loss is at least its lower bound (log10 of bound over loss)",
            "P4 Theorem 3.3",
            0.0,
            gap,
        ),
        (
            "KKT epsilon",
            "the exact residual is at most epsilon (largest ratio met)",
            "P4 Lemma B.1",
            1.0,
            named["kkt_residual"] / named["kkt_epsilon"],
        ),
        (
            "KKT delta",
            "multiplier times slack is at most delta (largest ratio met)",
            "P4 Lemma B.1",
            1.0,
            named["complementarity"] / named["kkt_delta"],
        ),
    )
    return tuple(starmap(_bounded, rows))


def _bounded(
    name: str, claim: str, source: str, bound: float, values: Numbers
) -> Check:
    found = _largest(values)
    if found is None:
        reason = "the summed loss never fell below log 2; run longer"
        return open_claim(name, claim, source, reason, predicted=bound)
    return at_most(name, claim, source, bound, found, _ROUNDING)


def _course(path: Path) -> tuple[Check, ...]:
    """Hold against what gradient flow keeps, and what only grows along it."""
    smoothed = path.named["gamma_tilde"]
    late = smoothed[path.named["loss"] < np.log(2)]
    claim = (
        "the smoothed margin never falls below log 2 of loss (largest relative fall)"
    )
    rising = open_claim(
        "smoothed margin",
        claim,
        "P4 Lemma B.2",
        "the summed loss was never below log 2 for two rows; run longer",
    )
    if len(late) > 1:
        fall = float((1 - late[1:] / late[:-1]).max())
        rising = at_most("smoothed margin", claim, "P4 Lemma B.2", 0.0, fall, _ROUNDING)
    kept = residual(
        "conserved",
        "W^T W - H H^T stays what it was (largest change over ||theta||^2)",
        "follows from P4 (2.3)",
        float(path.named["conserved"].max()),
        1e-6,
    )
    if path.is_flow:
        return rising, kept
    reason = "of gradient flow, not of steps"
    told = kept if kept.holds else replace(kept, holds=None, reason=reason)
    return _of_steps(rising, reason), told


def _of_steps(check: Check, reason: str) -> Check:
    return replace(check, holds=None, reason=reason) if check.holds is False else check


def _limits(path: Path) -> tuple[Check, ...]:
    named = path.named
    rows = (
        (
            "largest margin",
            "q over its bound tends to 1",
            "P4 Theorems 3.1, 3.2",
            1.0,
            named["margin_efficiency"],
        ),
        (
            "KKT residual",
            "theta / sqrt(q) tends to a KKT point: residual over ||theta|| / sqrt(q)",
            "P4 Theorem 3.2",
            0.0,
            named["kkt_residual"]
            * np.sqrt(_positive(named["least_margin"]))
            / named["radius"],
        ),
        (
            "complementarity",
            "multipliers times slacks tend to 0",
            "P4 Theorem 3.2",
            0.0,
            named["complementarity"],
        ),
        (
            "neural collapse",
            "the four metrics tend to 0 (largest of the six numbers)",
            "P4 section 4",
            0.0,
            np.max([named[name] for name in METRICS], axis=0),
        ),
    )
    earlier = _half(path)
    return tuple(
        approached(name, claim, source, limit, values, _NEAR, earlier)
        for name, claim, source, limit, values in rows
    )


def _positive(values: Numbers) -> Numbers:
    return np.where(values > 0, values, np.nan)


def _half(path: Path) -> int:
    """Return the last row at which log(1 + t) was half of what it is at the end."""
    place = int(np.searchsorted(path.logs, path.logs[-1] / 2, side="right")) - 1
    return min(max(place, 0), len(path.logs) - 2)


def _rate(path: Path) -> Check:
    """Fit how each metric falls with log t, from half of log t on."""
    name, source = "rate", "P4 appendix D"
    claim = "the metrics fall about as 1 / log t (exponent that is farthest from it)"
    fitted = {each: _exponent(path, path.named[each]) for each in METRICS}
    known = {each: slope for each, slope in fitted.items() if not np.isnan(slope)}
    if not known:
        reason = "fewer than three rows above rounding from half of log t on"
        return open_claim(name, claim, source, reason, predicted=-1.0)
    farthest = max(known.values(), key=lambda slope: abs(slope + 1))
    told = ", ".join(f"{each} {slope:.2f}" for each, slope in known.items())
    check = equal(name, claim, source, -1.0, farthest, _ABOUT, relative=False)
    return replace(check, reason=told)


def _exponent(path: Path, values: Numbers) -> float:
    """Return the slope of log(values) by log(log t), or NaN where all is rounding."""
    first = _half(path)
    logs, late = path.logs[first:], values[first:]
    kept = (late > _EXACT) & (logs > 0)
    if kept.sum() < 3:
        return float("nan")
    return float(np.polyfit(np.log(logs[kept]), np.log(late[kept]), 1)[0])
