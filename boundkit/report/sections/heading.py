"""The first line: which bytes were analyzed."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from boundkit.report.escape import escape
from boundkit.report.spans import Line, Span, cells, clip
from boundkit.report.wording import plural

if TYPE_CHECKING:
    from boundkit.report.model import Report

__all__ = ["heading"]

_DOT: Span = (" · ", "dim")


def heading(report: Report, width: int) -> tuple[Line, ...]:
    """Return version, file, format, parameters, coverage and digest, in few lines."""
    checkpoint = report.checkpoint
    parts: list[Span] = [
        (f"boundkit {report.boundkit}", "title"),
        (clip(escape(checkpoint.source), width - 6), "name"),
        (clip(_format(report), width - 6), ""),
        (f"{plural(checkpoint.parameters, 'parameter')}, {_coverage(report)}", ""),
    ]
    if checkpoint.sha256:
        parts.append((f"sha256 {checkpoint.sha256[:12]}…", "dim"))
    return _joined(parts, width)


def _format(report: Report) -> str:
    wrapping = " > ".join(map(escape, report.checkpoint.wrapping))
    inside = f" ({wrapping})" if wrapping else ""
    return escape(report.checkpoint.format) + inside


def _coverage(report: Report) -> str:
    if report.checkpoint.parameters == 0:
        return "nothing to count"
    if report.coverage >= 1:
        return "all counted"
    # Rounded down, so that "100 %" is never said of less.
    return f"{floor(1000 * report.coverage) / 10:g} % counted"


def _joined(parts: list[Span], width: int) -> tuple[Line, ...]:
    lines: list[list[Span]] = [[parts[0]]]
    taken = cells(parts[0][0])
    for part in parts[1:]:
        if taken + 3 + cells(part[0]) > width:
            lines.append([("  ", ""), part])
            taken = 2 + cells(part[0])
        else:
            lines[-1] += [_DOT, part]
            taken += 3 + cells(part[0])
    return tuple(map(tuple, lines))
