"""The report as plain text, and as styled lines for whoever has a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.sections import SECTIONS
from boundkit.report.spans import plain

if TYPE_CHECKING:
    from boundkit.report.model import Report
    from boundkit.report.spans import Line

__all__ = ["MIN_WIDTH", "lines", "render"]

MIN_WIDTH = 60


def lines(report: Report, width: int = 100) -> tuple[Line, ...]:
    """Return the report as lines of (text, style) pairs, sections parted by a blank.

    Args:
        report: What to show.
        width: Columns of a line; fewer than 60 are taken as 60.

    Returns:
        The lines; every name from a file is escaped.
    """
    found: list[Line] = []
    for section in SECTIONS:
        part = section(report, max(width, MIN_WIDTH))
        if part:
            found += [(), *part]
    return tuple(found[1:])


def render(report: Report, width: int = 100) -> str:
    """Return the report as plain text in lines of at most ``width`` columns."""
    return plain(lines(report, width))
