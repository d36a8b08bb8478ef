"""A ranking as text: one row a measure, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.regression.text import left_out_lines, number, remark_lines
from boundkit.report.escape import escape
from boundkit.report.spans import Line, clip, pad, plain, wrap
from boundkit.report.wording import plural

if TYPE_CHECKING:
    from boundkit.regression.ranking_model import Measure, Ranking

__all__ = ["lines", "render"]

_MIN_WIDTH = 60
_MOST, _MOST_LEFT = 40, 8
_CELL = 7
_FIRST_WORDS = (
    "+: grows with the error; tau: Kendall over all pairs; Psi: granulated, CMI: "
    "conditional mutual information (Jiang et al. 2020)"
)
_COLUMNS = ("tau", "Psi", "CMI", "mean", "90 %", "worst")


def lines(of: Ranking, width: int = 100) -> tuple[Line, ...]:
    """Return a ranking as lines of (text, style) pairs.

    Args:
        of: The ranking.
        width: Columns of a line; fewer than 60 are taken as 60.

    Returns:
        The lines; every name from a file is escaped.
    """
    width = max(width, _MIN_WIDTH)
    found = wrap(
        [
            (f"boundkit {of.boundkit}", "title"),
            (f"· measures that order {escape(of.y)}", "name"),
            (f"· {escape(of.source)}" if of.source else "", ""),
            (f"· {plural(of.nets, 'net')} of {plural(of.rows, 'row')}", ""),
        ],
        width,
        0,
        2,
    )
    found += left_out_lines(of.left_out, width)
    found += [(), *_table(of, width)]
    found += [(), *_legend(of, width)]
    if of.left_measures:
        found += _left(of, width)
    return (*found, *remark_lines(of.remarks, width))


def render(of: Ranking, width: int = 100) -> str:
    """Return a ranking as plain text in lines of at most ``width`` columns."""
    return plain(lines(of, width))


def _table(of: Ranking, width: int) -> list[Line]:
    room = max(12, width - 6 - _CELL * len(_COLUMNS))
    head: Line = (
        (f"  {pad('measure', room)}   ", "dim"),
        *((pad(title, _CELL, "right"), "dim") for title in _COLUMNS),
    )
    found: list[Line] = [head]
    found += [_row(one, room) for one in of.measures[:_MOST]]
    if len(of.measures) > _MOST:
        more = f"{len(of.measures) - _MOST} more in --format json or csv"
        found.append(((f"  {more}", "dim"),))
    return found


def _row(one: Measure, room: int) -> Line:
    more = f" (and {len(one.same)} alike)" if one.same else ""
    name = f"{clip(escape(one.name), room - len(more))}{more}"
    values = (
        one.kendall,
        one.granulated,
        one.information,
        one.sign_error,
        one.sign_error_90,
        one.sign_error_worst,
    )
    return (
        (f"  {pad(name, room)}", "name"),
        (" + " if one.direction > 0 else " - ", "dim"),
        *((pad(number(value, 2), _CELL, "right"), "") for value in values),
    )


def _legend(of: Ranking, width: int) -> list[Line]:
    words = [_FIRST_WORDS]
    counts = [one.environments for one in of.measures if one.environments]
    if counts:
        tested = f", weighted for {of.test_size:,} test samples" if of.test_size else ""
        words.append(
            f"mean, 90 %, worst: sign error over {max(counts)} pairs of settings that "
            f"differ in one of {', '.join(map(escape, of.hyperparameters))}{tested}; "
            "0.5 is chance (Dziugaite et al. 2020)"
        )
    return [line for one in words for line in wrap([(one, "dim")], width, 2, 2)]


def _left(of: Ranking, width: int) -> list[Line]:
    by_reason: dict[str, list[str]] = {}
    for one in of.left_measures:
        by_reason.setdefault(one.reason, []).append(one.name)
    found: list[Line] = []
    for reason, names in by_reason.items():
        shown = ", ".join(clip(escape(name), 40) for name in names[:_MOST_LEFT])
        more = f" and {len(names) - _MOST_LEFT} more" if len(names) > _MOST_LEFT else ""
        found += wrap([(f"not ranked, {reason}: {shown}{more}", "dim")], width, 2, 4)
    return found
