"""Numbers in words: how a report spells counts, shares, bounds and norms."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal
from math import ceil

__all__ = [
    "at_most",
    "confidence",
    "count",
    "needed",
    "percent",
    "plural",
    "power",
    "significant",
    "sizes",
    "summand",
]


def count(number: float) -> str:
    """Return a whole number with thousands separated: 11800 is ``11,800``."""
    return f"{round(number):,}" if abs(number) < 1e9 else significant(number)


def needed(number: float) -> str:
    """Return a sufficient sample size, rounded up: 3899.2 is ``3,900``."""
    return f"{ceil(number):,}" if number < 1e9 else at_most(number)


def percent(share: float) -> str:
    """Return a share in percent, with one decimal where it is below one."""
    hundred = 100 * share
    digits = 1 if 0 < abs(hundred) < 0.95 else 0
    # Adding zero turns the negative zero that rounding may leave into a plain one.
    return f"{round(hundred, digits) + 0.0:.{digits}f} %"


def summand(value: float) -> str:
    """Return a term of a sum with three decimals, where these show anything."""
    return f"{value:.3f}" if value == 0 or 5e-4 <= value < 1e4 else significant(value)


def plural(number: int, noun: str) -> str:
    """Return a count with its noun: ``1 tensor``, ``1,200 tensors``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sizes(shape: tuple[int, ...]) -> str:
    """Return a shape as ``256x1x4x4``; a scalar is ``scalar``."""
    return "x".join(map(str, shape)) or "scalar"


def significant(value: float, digits: int = 3) -> str:
    """Return ``value`` with ``digits`` significant digits, without needless exponents."""
    rounded = Context(prec=digits).create_decimal(repr(float(value)))
    if not rounded:
        return "0"
    exponent = rounded.adjusted()
    if -4 <= exponent < 6:
        return f"{rounded:,.{max(0, digits - 1 - exponent)}f}"
    return f"{rounded:.{digits - 1}e}".replace("e+", "e")


def at_most(value: float, log10: float | None = None, digits: int = 3) -> str:
    """Return an upper bound rounded up, so that the rounded number is still one.

    Args:
        value: The bound; infinity defers to ``log10``.
        log10: Of the bound, for values beyond a float.
        digits: Significant digits; more are used where a bound below 1 would show as 1.

    Returns:
        Such as ``0.264`` for 0.2631.
    """
    if value in {float("inf"), float("-inf")}:
        return power(log10)
    upward = Context(prec=digits, rounding=ROUND_CEILING)
    rounded = upward.create_decimal(repr(float(value)))
    if value < 1 <= rounded and digits < 17:
        return at_most(value, log10, digits + 1)
    return significant(float(rounded), max(digits, 3))


def power(log10: float | None) -> str:
    """Return a number too large for a float as a power: ``10^1234.5``."""
    return "-" if log10 is None else f"10^{log10:.1f}"


def confidence(delta: float) -> str:
    """Return the probability ``1 - delta`` in percent, all its digits: ``99.9 %``."""
    return f"{(100 - 100 * Decimal(repr(delta))).normalize():f} %"
