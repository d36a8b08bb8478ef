"""The certificate that a report leads with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.wording import needed

if TYPE_CHECKING:
    from boundkit.report.model import Report
    from boundkit.types import Certificate, Status

__all__ = ["best", "from_data", "leading", "smallest", "sufficient"]

_REFERENCES = {"holdout"}


def best(report: Report) -> Certificate | None:
    """Return the smallest valid bound, or None.

    A bound from held-out data is a reference for the others, not a rival.
    """
    return smallest(report, "valid")


def smallest(report: Report, status: Status) -> Certificate | None:
    """Return the smallest bound of this status, ties to the first, or None."""
    rivals = [one for one in _rivals(report) if one.status == status]
    return min(rivals, key=_size, default=None)


def leading(report: Report) -> Certificate:
    """Return the first certificate of the catalog that is no reference, of any status.

    Raises:
        StopIteration: If the report has no certificates.
    """
    return next(iter([*_rivals(report), *report.certificates.values()]))


def _rivals(report: Report) -> list[Certificate]:
    return [c for c in report.certificates.values() if c.bound not in _REFERENCES]


def sufficient(one: Certificate) -> str | None:
    """Return the sample size from which the bound is below 1, in words, if known."""
    size = one.terms.get("n_needed")
    usable = isinstance(size, int | float) and size < float("inf")
    return needed(float(size or 0)) if usable else None


def from_data(report: Report) -> bool:
    """Return whether a training sample was run through the net."""
    return report.margins is not None or bool(report.conventions.get("data"))


def _size(one: Certificate) -> tuple[float, float]:
    infinity = float("inf")
    value = infinity if one.value is None else one.value
    return value, infinity if one.log10 is None else one.log10
