"""The values that options accept, and the line that refuses any other."""

from __future__ import annotations

from math import inf, isfinite
from re import fullmatch
from typing import Literal

import typer

__all__ = [
    "CONVENTIONS",
    "LOSSES",
    "PARTS",
    "SPECTRA",
    "at_least_one",
    "convention",
    "device",
    "loss",
    "not_negative",
    "open_unit",
    "parse_gamma",
    "parse_only",
    "parse_seconds",
    "parse_shape",
    "positive",
    "positive_or_none",
    "share",
    "spectra",
]

PARTS = ("norms", "bounds", "spectra", "margins", "collapse", "noise")
LOSSES = ("square", "cross-entropy")
SPECTRA = ("auto", "full", "top", "none")
CONVENTIONS = ("boundkit", "weightwatcher")


def parse_gamma(written: str) -> float | Literal["auto"]:
    """Return the margin, or ``"auto"``.

    Raises:
        typer.BadParameter: If it is neither ``auto`` nor a positive number.
    """
    if written == "auto":
        return "auto"
    try:
        value = float(written)
    except ValueError:
        value = -1.0
    if not 0 < value < inf:
        _refuse("gamma must be auto or a number above 0", written, "--gamma")
    return value


def parse_shape(written: str | None) -> tuple[int, ...] | None:
    """Return the shape of one input such as (1, 28, 28).

    Raises:
        typer.BadParameter: If it is not positive whole numbers between commas.
    """
    if written is None:
        return None
    if not fullmatch(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*", written, flags=0):
        expectation = "the input shape must be whole numbers such as 1,28,28"
        _refuse(expectation, written, "--input-shape")
    return tuple(map(int, written.split(",")))


def parse_only(written: str | None) -> tuple[str, ...] | None:
    """Return the parts of the report to compute; None means what the inputs allow.

    Raises:
        typer.BadParameter: If a name is not one of ``PARTS``.
    """
    if written is None:
        return None
    names = tuple(name.strip() for name in written.split(","))
    for name in names:
        if name not in PARTS:
            _refuse(f"parts must be out of {', '.join(PARTS)}", name, "--only")
    return names


def _refuse(expectation: str, written: object, option: str) -> None:
    raise typer.BadParameter(
        f"{expectation}, but got '{written}'", param_hint=f"'{option}'"
    )


def open_unit(value: float) -> float:
    """Return a probability.

    Raises:
        typer.BadParameter: If it does not lie in (0, 1).
    """
    if not 0 < value < 1:
        raise typer.BadParameter(f"delta must lie in (0, 1), but got {value}")
    return value


def share(value: float | None) -> float | None:
    """Return a share of the parameters, or None.

    Raises:
        typer.BadParameter: If it does not lie in [0, 1].
    """
    if value is not None and not 0 <= value <= 1:
        raise typer.BadParameter(f"the coverage must lie in [0, 1], but got {value}")
    return value


def at_least_one(value: int | None) -> int | None:
    """Return a count, or None.

    Raises:
        typer.BadParameter: If it is below 1.
    """
    if value is not None and value < 1:
        raise typer.BadParameter(f"it must be at least 1, but got {value}")
    return value


def positive(value: float) -> float:
    """Return a size.

    Raises:
        typer.BadParameter: If it is not a number above 0.
    """
    if not 0 < value < inf:
        raise typer.BadParameter(f"it must be a number above 0, but got {value}")
    return value


def not_negative(value: float | None) -> float | None:
    """Return a coefficient, or None.

    Raises:
        typer.BadParameter: If it is not a number of at least 0.
    """
    if value is not None and not (isfinite(value) and value >= 0):
        raise typer.BadParameter(f"it must be a number of at least 0, but got {value}")
    return value


def loss(value: str | None) -> str | None:
    """Return the name of a loss, or None.

    Raises:
        typer.BadParameter: If there is no such loss.
    """
    if value is not None and value not in LOSSES:
        known = " or ".join(LOSSES)
        raise typer.BadParameter(f"the loss must be {known}, but got '{value}'")
    return value


def device(value: str) -> str:
    """Return the name of a device.

    Raises:
        typer.BadParameter: If it is none that torch could have.
    """
    if not fullmatch(r"auto|cpu|mps|cuda(:[0-9]{1,3})?", value):
        expectation = "the device must be auto, cpu, cuda, cuda:0 or mps"
        raise typer.BadParameter(f"{expectation}, but got '{value}'")
    return value


def parse_seconds(written: str) -> float:
    """Return a time in seconds: ``90``, ``90s`` or ``1.5m``.

    Raises:
        typer.BadParameter: If it is none.
    """
    found = fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(s|m|)", written.strip())
    seconds = float(found[1]) * (60 if found[2] == "m" else 1) if found else 0.0
    if seconds <= 0:
        raise typer.BadParameter(
            f"the budget must be a time such as 60s or 2m, but got '{written}'",
            param_hint="'--budget'",
        )
    return seconds


def positive_or_none(value: float | None) -> float | None:
    """Return a size, or None.

    Raises:
        typer.BadParameter: If it is not a number above 0.
    """
    return None if value is None else positive(value)


def spectra(value: str) -> str:
    """Return how much of each spectrum to compute.

    Raises:
        typer.BadParameter: If there is no such choice.
    """
    if value not in SPECTRA:
        known = ", ".join(SPECTRA)
        raise typer.BadParameter(f"spectra must be among {known}, but got '{value}'")
    return value


def convention(value: str) -> str:
    """Return whose definitions of numbers of spectra to add.

    Raises:
        typer.BadParameter: If there is no such choice.
    """
    if value not in CONVENTIONS:
        known = " or ".join(CONVENTIONS)
        raise typer.BadParameter(f"the convention must be {known}, but got '{value}'")
    return value
