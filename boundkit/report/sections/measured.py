"""What data told: noise, and measurements beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boundkit.report.escape import escape
from boundkit.report.sections.heuristics import spelled
from boundkit.report.spans import Line, Span, wrap
from boundkit.report.wording import count, significant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boundkit.report.model import Report
    from boundkit.types import Measurement

__all__ = ["measured"]


def measured(report: Report, width: int) -> tuple[Line, ...]:
    """Return every scalar of noise, then the measurements."""
    lines = _scalars("Noise", report.noise or {}, width)
    found = [one for one in report.measurements if one.kind == "measurement"]
    single, families = _families(found)
    if found:
        lines += [(("  Measurements", "title"),), *spelled(single, width)]
    for family, members in families.items():
        text = f"{escape(family)}.*: {len(members)} measures, in --format json"
        lines += wrap([(text, "dim")], width, 4, 6)
    return tuple(lines)


def _families(
    found: list[Measurement],
) -> tuple[list[Measurement], dict[str, list[Measurement]]]:
    """Part single measurements from families of more than three, ``family.member``."""
    families: dict[str, list[Measurement]] = {}
    for one in found:
        family, dot, _ = one.name.partition(".")
        if dot:
            families.setdefault(family, []).append(one)
    large = {name: members for name, members in families.items() if len(members) > 3}
    single = [one for one in found if one.name.partition(".")[0] not in large]
    return single, large


def _scalars(title: str, table: Mapping[str, Any], width: int) -> list[Line]:
    words = [f"{escape(name)} {_spelled(value)}" for name, value in _flat(table, "")]
    if not words:
        return []
    spans: list[Span] = [(f"{title}:", "title")]
    spans += [(word + ",", "") for word in words[:-1]]
    return wrap([*spans, (words[-1], "")], width, 2, 4)


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is None or isinstance(value, bool | int | float | str):
            yield f"{prefix}{key}", value


def _spelled(value: float | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, int):
        return count(value)
    return significant(value) if abs(value) < float("inf") else "not finite"
