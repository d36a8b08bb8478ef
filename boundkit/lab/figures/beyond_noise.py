"""Whether a difference between two groups of runs is more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["below", "below_in_pairs", "center", "logs", "shown"]

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
    error = float(np.sqrt(sum(x.var(ddof=1) / len(x) for x in (one, other))))
    return _judged(float(other.mean() - one.mean()), error, float(np.abs(other).max()))


def below_in_pairs(
    first: Sequence[float | None], second: Sequence[float | None]
) -> tuple[bool | None, str]:
    """Judge as ``below`` does, where runs come in pairs: equal start, equal batches.

    Args:
        first: One a run; a pair with a None does not count.
        second: The other run of each pair.

    Returns:
        Whether they are, None where that cannot be told, and the reason unless they are.
    """
    pairs = [
        (one, other)
        for one, other in zip(first, second, strict=True)
        if one is not None and other is not None
    ]
    if len(pairs) < 2:
        return None, "fewer than two pairs of runs, so chance cannot be told apart"
    found = np.array(pairs)
    gaps = found[:, 1] - found[:, 0]
    error = float(gaps.std(ddof=1) / len(gaps) ** 0.5)
    return _judged(float(gaps.mean()), error, float(np.abs(found).max()))


def _judged(gap: float, error: float, size: float) -> tuple[bool | None, str]:
    # Rounding leaves an error of its own where all runs agree.
    if abs(gap) <= max(_ERRORS * error, 1e-12 * size):
        reason = f"the difference {gap:.3g} is within {_ERRORS:g} standard errors of {error:.3g}"
        return None, reason
    return gap > 0, "" if gap > 0 else "it is the other way round here"


def logs(values: Sequence[Any]) -> list[float | None]:
    """Return decimal logarithms, None of what is missing or not positive."""
    return [float(np.log10(v)) if v is not None and v > 0 else None for v in values]
