"""Heuristics: numbers that are printed in the literature and proved nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.escape import escape
from boundkit.report.spans import Line, Span, cells, clip, pad, wrap
from boundkit.report.wording import power, significant

if TYPE_CHECKING:
    from boundkit.report.model import Report
    from boundkit.types import Measurement

__all__ = ["heuristics", "spelled"]

_MOST = 24


def heuristics(report: Report, width: int) -> tuple[Line, ...]:
    """Return the heuristics in a block of their own that says what they are not."""
    found = [one for one in report.measurements if one.kind == "heuristic"]
    if not found:
        return ()
    title: list[Span] = [
        ("Heuristics", "title"),
        ("(as printed in the literature; not proved, no certificate)", "fair"),
    ]
    return (*wrap(title, width, 2, 4), *spelled(found, width))


def spelled(found: list[Measurement], width: int) -> list[Line]:
    """Return one entry per measurement: name, value, unit, where it comes from."""
    shown = found[:_MOST]
    column = min(max(cells(_name(one)) for one in shown), width // 2)
    lines: list[Line] = []
    for one in shown:
        spans: list[Span] = [(_value(one), ""), (escape(one.source), "dim")]
        head: Span = (f"    {pad(clip(_name(one), column), column)}  ", "name")
        first, *rest = wrap(spans, width, column + 6, column + 6)
        lines += [(head, *first[1:]), *rest]
    if len(found) > _MOST:
        more = f"    … {len(found) - _MOST:,} more in --format json"
        lines.append(((more, "dim"),))
    return lines


def _name(one: Measurement) -> str:
    name = escape(one.name)
    return f"{name} ({escape(one.layer)})" if one.layer else name


def _value(one: Measurement) -> str:
    if one.value is None or one.value == float("inf"):
        return power(one.log10)
    spread = f" ± {significant(one.stderr, 2)}" if one.stderr else ""
    unit = "" if one.unit in {"", "1"} else f" {escape(one.unit)}"
    return f"{significant(one.value)}{spread}{unit}"
