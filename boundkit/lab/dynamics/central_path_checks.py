"""What P2 says of the central path, beside what was found on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.checks import at_most, equal, residual
from boundkit.lab.dynamics.limits import approached

if TYPE_CHECKING:
    from boundkit.lab.dynamics.central_path_rows import Path
    from boundkit.lab.dynamics.checks import Check

__all__ = ["checks"]

#: Of the closed form; of limits, which are far.
_CLOSE, _NEAR = 1e-6, 0.05


def checks(path: Path, rtol: float) -> tuple[Check, ...]:
    """Hold a path against Proposition 2 and Corollaries 1 and 2.

    Args:
        path: With three times at least.
        rtol: Relative tolerance of the solver that found it.
    """
    decided = (*_dynamics(path), *_invariants(path))
    return (*(_resolved(one, path, rtol) for one in decided), *_limits(path))


def _dynamics(path: Path) -> tuple[Check, ...]:
    projected = path.law.renormalize == "project"
    source = "P2 Proposition 2, (9)" if projected else "derived; not P2 (9)"
    gap = np.abs(path.strength / path.closed - 1)
    clocks = np.array([
        [path.law.clock(value) for value in row] for row in path.strength
    ])
    told = clocks - clocks[0] - path.times[:, np.newaxis]
    size = max(float(path.times[-1]), float(np.abs(clocks).max()))
    return (
        residual(
            "closed form",
            "the signal-to-noise values of the features follow the closed form"
            " (largest relative gap)",
            source,
            float(gap.max()),
            _CLOSE,
        ),
        residual(
            "clock",
            "c1 log w + c2 w^2 + c3 w^4 = a + t, over the larger side at the end"
            if projected
            else "N C (C log w + w^2 / 2) = a + t, over the larger side at the end",
            source,
            float(np.abs(told).max()) / size,
            _CLOSE,
        ),
        _growth(path),
    )


def _resolved(check: Check, path: Path, rtol: float) -> Check:
    """Leave a claim open where the solver's tolerance is too coarse to decide it."""
    smallest = float(path.strength[0].min())
    if check.holds is not False or rtol <= _CLOSE * min(smallest, 1.0) / 100:
        return check
    reason = (
        f"rtol {rtol:.0e} of features of size 1 does not resolve a value that begins at"
        f" {smallest:.1e}; choose finer rtol and atol"
    )
    return replace(check, holds=None, reason=reason)


def _growth(path: Path) -> Check:
    """Compare the slope of log w against log t, over the last decade, with 1/4."""
    times, smallest = path.times, path.strength[:, -1]
    first = _before(path, 10)
    slope = np.log(smallest[-1] / smallest[first]) / np.log(times[-1] / times[first])
    closed = path.closed[:, -1]
    told = np.log(closed[-1] / closed[first]) / np.log(times[-1] / times[first])
    check = equal(
        "growth",
        "w grows as t^(1/4): slope of log w by log t, over the last decade",
        "P2 Corollary 1, 1",
        0.25,
        float(slope),
        _NEAR,
        relative=False,
    )
    if check.holds:
        return check
    reason = f"the closed form itself has {told:.3g} there; run longer"
    if path.law.renormalize == "whiten":
        reason = "whitening after each step grows as t^(1/2); P2 (5) projects instead"
        return replace(check, reason=reason)
    return replace(check, holds=None, reason=reason)


def _before(path: Path, factor: float) -> int:
    """Return the place of the last time, above 0, that is ``factor`` before the end."""
    place = int(np.searchsorted(path.times, path.times[-1] / factor, side="right")) - 1
    return min(max(place, 1), len(path.times) - 2)


def _invariants(path: Path) -> tuple[Check, ...]:
    named = path.named
    told = (0.5 / (path.law.classes + path.strength**2)).sum(axis=1)
    return (
        residual(
            "unit covariance",
            "the covariance within classes stays the identity",
            "P2 (5)",
            float(named["covariance_drift"].max()),
            _CLOSE,
        ),
        residual(
            "zero mean",
            "the global mean stays zero",
            "P2 (A2)",
            float(named["mean_drift"].max()),
            _CLOSE,
        ),
        residual(
            "singular vectors",
            "the singular vectors of the class means stay what they were",
            "P2 Corollary 2",
            float(named["vector_drift"].max()),
            _CLOSE,
        ),
        residual(
            "on the central path",
            "with W = W_LS, L = L_NC1 + L_NC2/3: share of the rest",
            "P2 Theorem 1",
            float((np.abs(named["mse.l_perp"]) / named["mse.total"]).max()),
            _CLOSE,
        ),
        residual(
            "loss",
            "L = 1/2 sum 1 / (C + w^2) (largest relative gap)",
            "follows from P2 (6), (8)",
            float(np.abs(named["mse.total"] / told - 1).max()),
            _CLOSE,
        ),
        at_most(
            "descent",
            "the loss never grows (largest relative rise)",
            "P2 (5)",
            0.0,
            float((np.diff(named["mse.total"]) / named["mse.total"][:-1]).max()),
            1e-9,
        ),
    )


def _limits(path: Path) -> tuple[Check, ...]:
    with np.errstate(divide="ignore"):
        told = np.array([path.law.asymptote(float(time)) for time in path.times])
        share = path.strength[:, -1] / told
    projected = path.law.renormalize == "project"
    form = "(t/c3)^(1/4)" if projected else "(2 t / (N C))^(1/2)"
    rows = (
        (
            "size",
            f"w over {form} tends to 1",
            "P2 Corollary 1, 1" if projected else "derived; not P2 Corollary 1",
            1.0,
            share,
        ),
        (
            "equal values",
            "the largest over the smallest w tends to 1",
            "P2 Corollary 1, 2",
            1.0,
            path.strength[:, 0] / path.strength[:, -1],
        ),
        (
            "means to the frame",
            "M / w_max tends to U(0) V(0)^T",
            "P2 Corollary 2, (10)",
            0.0,
            path.named["means_to_limit"],
        ),
        (
            "features to the frame",
            "X / w_max tends to U(0) V(0)^T x 1_N^T",
            "P2 Corollary 2, (11)",
            0.0,
            path.named["features_to_limit"],
        ),
        (
            "NC1",
            "tr(Sigma_W Sigma_B^+) tends to 0",
            "P2 Theorem 3",
            0.0,
            path.named["nc1_pinv"],
        ),
        (
            "NC2",
            "cosines of class means tend to -1/(C - 1)",
            "P2 Theorem 3",
            0.0,
            path.named["nc2_max_angle_means"],
        ),
        (
            "NC3",
            "classifiers and class means align",
            "P2 Theorem 3",
            0.0,
            path.named["nc3_per_class"],
        ),
        (
            "NC4",
            "the nearest class mean decides",
            "P2 Theorem 3",
            0.0,
            path.named["nc4_mismatch"],
        ),
    )
    earlier = _before(path, 10)
    return tuple(
        approached(name, claim, source, limit, values, _NEAR, earlier)
        for name, claim, source, limit, values in rows
    )
