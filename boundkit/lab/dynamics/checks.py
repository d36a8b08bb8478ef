"""Claims beside what was found."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan

__all__ = ["Check", "at_least", "at_most", "equal", "open_claim", "residual"]


@dataclass(frozen=True, slots=True)
class Check:
    """A claim beside what was found.

    Attributes:
        name: Short, unique in its simulation.
        claim: In one line.
        source: Paper and equation.
        predicted: The number that the claim gives, or None.
        found: The number that was measured, or None.
        error: How far apart they are, as ``relative`` says.
        tolerance: The largest error at which the claim is said to hold.
        relative: Whether the error is relative to the prediction.
        holds: None where it was not decided.
        reason: Why not decided, or why it fails where that is known.
    """

    name: str
    claim: str
    source: str
    predicted: float | None
    found: float | None
    error: float | None
    tolerance: float | None
    relative: bool
    holds: bool | None
    reason: str = ""


def equal(
    name: str,
    claim: str,
    source: str,
    predicted: float,
    found: float,
    tolerance: float,
    *,
    relative: bool = True,
) -> Check:
    """Compare two numbers that a claim says are equal.

    Args:
        name: Short, unique.
        claim: In one line.
        source: Paper and equation.
        predicted: By the claim.
        found: In the simulation.
        tolerance: Of the error.
        relative: Whether the error is divided by the prediction's size.
    """
    error = abs(found - predicted)
    if relative:
        error = error / abs(predicted) if predicted else float("inf")
    return _decided(name, claim, source, (predicted, found), error, tolerance, relative)


def residual(
    name: str, claim: str, source: str, found: float, tolerance: float
) -> Check:
    """Check that a quantity vanishes.

    Args:
        name: Short, unique.
        claim: In one line.
        source: Paper and equation.
        found: The largest absolute value met.
        tolerance: Of it.
    """
    error = abs(found)
    return _decided(name, claim, source, (0.0, found), error, tolerance, relative=False)


def at_most(
    name: str, claim: str, source: str, bound: float, found: float, tolerance: float
) -> Check:
    """Check that a quantity stays below a bound, up to rounding.

    Args:
        name: Short, unique.
        claim: In one line.
        source: Paper and equation.
        bound: The largest value that the claim allows.
        found: The largest value met.
        tolerance: By how much it may be passed, absolutely.
    """
    error = found if isnan(found) else max(found - bound, 0.0)
    return _decided(name, claim, source, (bound, found), error, tolerance, False)


def at_least(
    name: str, claim: str, source: str, bound: float, found: float, tolerance: float
) -> Check:
    """Check that a quantity stays above a bound, up to rounding.

    Args:
        name: Short, unique.
        claim: In one line.
        source: Paper and equation.
        bound: The smallest value that the claim allows.
        found: The smallest value met.
        tolerance: By how much it may be missed, absolutely.
    """
    error = found if isnan(found) else max(bound - found, 0.0)
    return _decided(name, claim, source, (bound, found), error, tolerance, False)


def open_claim(
    name: str,
    claim: str,
    source: str,
    reason: str,
    *,
    predicted: float | None = None,
    found: float | None = None,
) -> Check:
    """Return a claim that this run cannot decide, and why.

    Args:
        name: Short, unique.
        claim: In one line.
        source: Paper and equation.
        reason: Why it is open.
        predicted: By the claim, where that is known.
        found: In the simulation, where that is known.
    """
    return Check(name, claim, source, predicted, found, None, None, False, None, reason)


def _decided(
    name: str,
    claim: str,
    source: str,
    numbers: tuple[float, float],
    error: float,
    tolerance: float,
    relative: bool,
) -> Check:
    predicted, found = map(float, numbers)
    error = float(error)
    holds = isfinite(error) and error <= tolerance
    reason = "" if isfinite(error) else "a number is not finite"
    return Check(
        name, claim, source, predicted, found, error, tolerance, relative, holds, reason
    )
