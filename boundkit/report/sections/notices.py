"""Warnings: what was odd, or is not a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.escape import escape
from boundkit.report.spans import Line, Span, Style, clip, wrap

if TYPE_CHECKING:
    from boundkit.report.model import Report
    from boundkit.types import Notice

__all__ = ["notices"]

_MOST = 6


def notices(report: Report, width: int) -> tuple[Line, ...]:
    """Return the warnings, those of one code together, long runs cut short."""
    groups: dict[str, list[Notice]] = {}
    for notice in report.warnings:
        groups.setdefault(notice.code, []).append(notice)
    lines: list[Line] = []
    for code, group in groups.items():
        for notice in group[:_MOST]:
            lines += _entry(notice, width)
        if len(group) > _MOST:
            more = f"… {len(group) - _MOST:,} more of {escape(code)} in --format json"
            lines += wrap([(more, "dim")], width, 4, 4)
    return ((("  Warnings", "title"),), *lines) if lines else ()


def _entry(notice: Notice, width: int) -> list[Line]:
    style: Style = "bad" if notice.code == "non-finite" else "fair"
    message = clip(escape(notice.message), 600)
    spans: list[Span] = [(f"{escape(notice.code)}:", style), (message, "")]
    tensor = None if notice.tensor is None else escape(notice.tensor)
    if tensor and tensor not in message:
        spans.append((f"({clip(tensor, 60)})", "dim"))
    return wrap(spans, width, 4, 6)
