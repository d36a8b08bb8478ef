"""A formula of neural collapse: its name, its convention, and what it finds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from boundkit.errors import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Finding", "Formula", "evaluated", "formula"]

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Finding:
    """One number, or why there is none.

    Attributes:
        name: In reports; a dot parts the family from its member.
        value: Finite; None where there is no such number.
        convention: The formula in words, with every choice that authors differ in.
        source: Paper and number of the equation.
        reason: Why the value is None, or "".
    """

    name: str
    value: float | None
    convention: str
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Formula(Generic[Subject]):
    """One measure of neural collapse.

    Attributes:
        name: In reports.
        convention: The formula in words, with every choice that authors differ in.
        source: Paper and number of the equation.
        rule: Evaluates it, or raises ``NotApplicable`` with the reason.
    """

    name: str
    convention: str
    source: str
    rule: Callable[[Subject], float]


def formula(
    name: str, convention: str, source: str
) -> Callable[[Callable[[Subject], float]], Formula[Subject]]:
    """Return a decorator that makes a rule a formula; it registers nothing."""

    def decorate(rule: Callable[[Subject], float]) -> Formula[Subject]:
        return Formula(name, convention, source, rule)

    return decorate


def evaluated(
    formulas: Iterable[Formula[Subject]], subject: Callable[[], Subject]
) -> tuple[Finding, ...]:
    """Evaluate formulas on one subject.

    Args:
        formulas: Which.
        subject: Makes what they are evaluated on; where it raises ``NotApplicable``,
            that is the reason of each of them.

    Returns:
        One finding a formula, in their order; never NaN or infinite.
    """
    try:
        with np.errstate(all="ignore"):  # What is not finite becomes a reason below.
            made = subject()
    except NotApplicable as missing:
        return tuple(_without(one, str(missing)) for one in formulas)
    return tuple(_finding(one, made) for one in formulas)


def _without(one: Formula[Subject], reason: str) -> Finding:
    return Finding(one.name, None, one.convention, one.source, reason)


def _finding(one: Formula[Subject], subject: Subject) -> Finding:
    try:
        with np.errstate(all="ignore"):
            value = one.rule(subject)
    except NotApplicable as missing:
        return _without(one, str(missing))
    if not math.isfinite(value):
        return _without(one, "is not finite in float64; rescale the features")
    plain = value if isinstance(value, int) else float(value)
    return Finding(one.name, plain, one.convention, one.source)
