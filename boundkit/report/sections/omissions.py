"""What was not counted: the ledger, grouped by reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.escape import escape
from boundkit.report.omitted import parameters, uncounted
from boundkit.report.spans import Line, clip, wrap
from boundkit.report.wording import plural

if TYPE_CHECKING:
    from boundkit.report.model import Report
    from boundkit.types import LedgerRow

__all__ = ["omissions"]

_MOST, _EXAMPLES = 8, 3


def omissions(report: Report, width: int) -> tuple[Line, ...]:
    """Return one entry per reason for which tensors were skipped, one for the folded."""
    found = uncounted(report)
    groups = [group for group in found if group[0][0] != "folded"]
    folded = [row for group in found if group[0][0] == "folded" for row in group[1]]
    lines: list[Line] = []
    if folded:
        text = "folded into the layer before: statistics and parameters of BatchNorm"
        lines += [(("  Folded", "title"),), *_entry(text, folded, width)]
    if not groups:
        return tuple(lines)
    lines.append((("  Not counted in rho", "title"),))
    for (_, reason), rows in groups[:_MOST]:
        lines += _entry(reason, rows, width)
    if len(groups) > _MOST:
        rest = sum(len(rows) for _, rows in groups[_MOST:])
        text = (
            f"and {plural(rest, 'tensor')} for {plural(len(groups) - _MOST, 'reason')} "
            "more (the whole ledger is in --format json)"
        )
        lines += wrap([(text, "dim")], width, 4, 6)
    return tuple(lines)


def _entry(reason: str, rows: list[LedgerRow], width: int) -> list[Line]:
    names = ", ".join(clip(escape(row.tensor), 40) for row in rows[:_EXAMPLES])
    more = ", …" if len(rows) > _EXAMPLES else ""
    number = parameters(rows)
    size = f", {plural(number, 'parameter')}" if number else ""
    return wrap(
        [
            (f"{plural(len(rows), 'tensor')}{size}:", ""),
            (clip(escape(reason), 200), ""),
            (f"({names}{more})", "dim"),
        ],
        width,
        4,
        6,
    )
