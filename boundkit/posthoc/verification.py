"""What verifying a certificate finds."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Check", "Verification", "close", "same"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was recomputed.

    Attributes:
        name: What it is.
        holds: Whether the certificate states it as it is.
        stated: In the certificate.
        found: By recomputing.
    """

    name: str
    holds: bool
    stated: str
    found: str


@dataclass(frozen=True, slots=True)
class Verification:
    """A certificate that was recomputed from the weights, the data and itself alone.

    Attributes:
        kind: Of the certificate.
        bound: As the certificate states it.
        delta: Probability that the statement fails.
        certifies: Which weights it is about.
        checks: Everything that was compared.
        notes: What no program can check, or what was left aside as asked.
        unchecked: What the certificate states that could have been recomputed, but was
            not.
        original: The bound on the original network and the probability that it fails,
            where its bridge was recomputed.
    """

    kind: str
    bound: float
    delta: float
    certifies: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    original: tuple[float, float] | None = None

    @property
    def passed(self) -> bool:
        """Whether everything was recomputed and is as stated."""
        return not self.unchecked and all(check.holds for check in self.checks)


def same(name: str, stated: object, found: object) -> Check:
    """Compare two values that must be equal.

    Args:
        name: What they are.
        stated: In the certificate.
        found: By recomputing.
    """
    return Check(name, stated == found, _shown(stated), _shown(found))


def close(name: str, stated: object, found: float, tolerance: float) -> Check:
    """Compare two numbers that rounding may part.

    Args:
        name: What they are.
        stated: In the certificate; anything but a number differs.
        found: By recomputing.
        tolerance: Absolute, and relative to the larger.
    """
    is_number = isinstance(stated, int | float) and not isinstance(stated, bool)
    holds = is_number and math.isclose(
        float(str(stated)), found, rel_tol=tolerance, abs_tol=tolerance
    )
    return Check(name, holds, _shown(stated), _shown(found))


def _shown(value: object) -> str:
    text = f"{value:.9g}" if isinstance(value, float) else ascii(value).strip("'")
    return text if len(text) <= 70 else f"{text[:67]}..."
