"""Settings of simulations: what is in range passes, the rest is refused in one line."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, TypeVar

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["above_zero", "not_below_zero", "number", "one_of", "whole"]

Choice = TypeVar("Choice", bound=str)


def whole(name: str, value: int, least: int) -> int:
    """Return a whole number.

    Args:
        name: Of the setting.
        value: To judge.
        least: That is allowed.

    Raises:
        UsageError: It is below, or no whole number.
    """
    if isinstance(value, bool) or int(value) != value or value < least:
        raise UsageError(
            f"{name} must be a whole number of at least {least}, but got {value}"
        )
    return int(value)


def above_zero(name: str, value: float) -> float:
    """Return a number above zero.

    Args:
        name: Of the setting.
        value: To judge.

    Raises:
        UsageError: It is zero, negative or not finite.
    """
    if not (isfinite(value) and value > 0):
        raise UsageError(f"{name} must be a number above 0, but got {value}")
    return float(value)


def not_below_zero(name: str, value: float) -> float:
    """Return a number of at least zero.

    Args:
        name: Of the setting.
        value: To judge.

    Raises:
        UsageError: It is negative or not finite.
    """
    if not (isfinite(value) and value >= 0):
        raise UsageError(f"{name} must be a number of at least 0, but got {value}")
    return float(value)


def number(name: str, value: float) -> float:
    """Return a finite number.

    Args:
        name: Of the setting.
        value: To judge.

    Raises:
        UsageError: It is not finite.
    """
    if not isfinite(value):
        raise UsageError(f"{name} must be a finite number, but got {value}")
    return float(value)


def one_of(name: str, value: str, known: Sequence[Choice]) -> Choice:
    """Return one of several words.

    Args:
        name: Of the setting.
        value: To judge.
        known: The words.

    Raises:
        UsageError: It is none of them.
    """
    for each in known:
        if each == value:
            return each
    raise UsageError(f"{name} must be one of {', '.join(known)}, but got {value!a}")
