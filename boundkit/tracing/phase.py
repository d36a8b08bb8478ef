"""The terminal phase of training: from the first zero training error on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.tracing.counters import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.tracing.points import Point

__all__ = ["TEST_ERROR", "TRAIN_ERROR", "Terminal", "terminal_phase"]

TRAIN_ERROR, TEST_ERROR = "margins.train_error", "margins.test.train_error"


@dataclass(frozen=True, slots=True)
class Terminal:
    """When training error was first zero, and what that meant for test accuracy.

    Attributes:
        began: Place of the first checkpoint without training error; None if none is.
        after: Place of the checkpoint before it: the moment lies between; None where
            the first checkpoint has no training error.
        for_good: Place from which on no checkpoint errs; None if the last one does.
        least_error: Smallest training error of all checkpoints; None without data.
        end: Place of the last checkpoint.
        accuracy_then: Test accuracy where it began; None without test data.
        accuracy_end: Test accuracy at the last checkpoint.
        gain: The one minus the other.
    """

    began: float | None
    after: float | None
    for_good: float | None
    least_error: float | None
    end: float
    accuracy_then: float | None
    accuracy_end: float | None
    gain: float | None


def terminal_phase(course: Sequence[Point]) -> Terminal:
    """Return when the terminal phase began, and test accuracy then and at the end.

    Han, Papyan, Donoho (2022), Table 1, which leaves open what happens between the
    checkpoints that were kept: a ``Terminal`` says between which two it began.

    Args:
        course: Checkpoints that were analyzed, in order; at least one.
    """
    errors = [number(one.row.get(TRAIN_ERROR)) for one in course]
    known = [error for error in errors if error is not None]
    zeros = [at for at, error in enumerate(errors) if error == 0]
    first = zeros[0] if zeros else None
    then = None if first is None else _accuracy(course[first])
    end = _accuracy(course[-1])
    return Terminal(
        None if first is None else course[first].at,
        course[first - 1].at if first else None,
        _for_good(course, errors),
        min(known, default=None),
        course[-1].at or 0.0,
        then,
        end,
        None if then is None or end is None else end - then,
    )


def _for_good(course: Sequence[Point], errors: Sequence[float | None]) -> float | None:
    place = None
    for one, error in zip(reversed(course), reversed(errors), strict=True):
        if error != 0:
            break
        place = one.at
    return place


def _accuracy(one: Point) -> float | None:
    error = number(one.row.get(TEST_ERROR))
    return None if error is None else 1 - error
