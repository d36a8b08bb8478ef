"""Whether a difference between two groups of runs is more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["below", "center", "logs", "shown"]

#: Standard errors of a difference that count as more than chance.
_ERRORS = 2.0


def shown(value: float | None) -> str:
    """Return a number as claims say it."""
    return "undefined" if value is None else f"{value:.3g}"


def center(values: Sequence[float | None]) -> float | None:
    """Return the mean of what is known, None if nothing is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def below(
    first: Sequence[float | None], second: Sequence[float | None]
) -> tuple[bool | None, str]:
    """Judge whether the first values are smaller in the mean, by two standard errors.

    Args:
        first: One a run; those that are None do not count.
        second: One a run.

    Returns:
        Whether they are, None where that cannot be told, and the reason unless they are.
    """
    one, other = (
        np.array([v for v in values if v is not None]) for values in (first, second)
    )
    if min(len(one), len(other)) < 2:
        return None, "fewer than two runs on a side, so chance cannot be told apart"
    gap = float(other.mean() - one.mean())
    error = float(np.sqrt(sum(x.var(ddof=1) / len(x) for x in (one, other))))
    # Rounding leaves an error of its own where all runs agree.
    if abs(gap) <= max(_ERRORS * error, 1e-12 * float(np.abs(other).max())):
        reason = f"the difference {gap:.3g} is within {_ERRORS:g} standard errors of {error:.3g}"
        return None, reason
    return gap > 0, "" if gap > 0 else "it is the other way round here"


def logs(values: Sequence[Any]) -> list[float | None]:
    """Return decimal logarithms, None of what is missing or not positive."""
    return [float(np.log10(v)) if v is not None and v > 0 else None for v in values]
