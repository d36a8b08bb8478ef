"""A trace as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.escape import escape
from boundkit.report.pages import (
    Charts,
    Column,
    Page,
    Pairs,
    Table,
    Words,
    badge,
    render_page,
)
from boundkit.report.spans import plain
from boundkit.report.wording import at_most, plural, significant
from boundkit.tracing.panels import charts_of
from boundkit.tracing.phase import TEST_ERROR, TRAIN_ERROR
from boundkit.tracing.picturing import course_of
from boundkit.tracing.text import COLUMNS, bound_columns, fit_lines, terminal_lines

if TYPE_CHECKING:
    from boundkit.report.pages import Cell
    from boundkit.report.spans import Line
    from boundkit.tracing.model import Trace
    from boundkit.tracing.points import Point

__all__ = ["render"]

#: Wide enough that no sentence is broken.
_WIDE = 10_000
_STYLES = {"traced": "valid", "undefined": "assumed", "failed": "invalid"}


def render(trace: Trace) -> str:
    """Return the trace as one HTML page: phase, charts over the run, checkpoints.

    Args:
        trace: What to show; every name from a file is escaped.
    """
    course = trace.course
    began = trace.terminal is not None and trace.terminal.began is not None
    return render_page(
        Page(
            version=trace.boundkit,
            name=trace.run,
            heading=(
                (
                    f"boundkit {trace.boundkit} · {len(course)} of "
                    f"{plural(len(trace.points), 'checkpoint')}, {trace.order.axis} "
                    f"{course[0].at:g} to {course[-1].at:g} · ordered by {trace.order.source}"
                ),
            ),
            verdict=_sentences(terminal_lines(trace, _WIDE)),
            style="good" if began else "fair",
            facts=_facts(trace),
            parts=tuple(_parts(trace)),
        )
    )


def _parts(trace: Trace) -> list[Words | Charts | Table | Pairs]:
    charts = charts_of(course_of(trace))
    found: list[Words | Charts | Table | Pairs] = []
    if charts:
        note = (
            "A drag zooms in, a double click goes back. The terminal phase is shaded."
        )
        found += [Words("Over the run", (note,), soft=True), Charts("", charts)]
    fits = _sentences(fit_lines(trace, _WIDE))
    if fits:
        found.append(Words("Signal-to-noise dynamics", fits))
    found.append(_checkpoints(trace))
    if trace.notices:
        found.append(Words("Notes", trace.notices))
    found.append(Pairs("Conventions", tuple(trace.conventions.items())))
    return found


def _sentences(lines: list[Line]) -> tuple[str, ...]:
    return tuple(
        one.strip().removeprefix("* ")
        for one in plain(lines).splitlines()
        if one.strip()
    )


def _facts(trace: Trace) -> tuple[tuple[str, str], ...]:
    last = trace.course[-1].row
    found = [("checkpoints", str(len(trace.course)))]
    for title, name in (("rho at the end", "rho"), ("median margin", "margins.median")):
        if last.get(name) is not None:
            found.append((title, significant(last[name])))
    for title, name in (("training error", TRAIN_ERROR), ("test error", TEST_ERROR)):
        if last.get(name) is not None:
            found.append((title, f"{100 * last[name]:.2f} %"))
    for title, name in bound_columns(trace):
        if last.get(name) is not None:
            found.append((escape(title), at_most(last[name])))
    return tuple(found)


def _checkpoints(trace: Trace) -> Table:
    columns = [
        (title, name)
        for title, name in (*COLUMNS, *bound_columns(trace))
        if any(one.row.get(name) is not None for one in trace.course)
    ]
    return Table(
        "Checkpoints",
        (
            Column(trace.order.axis, numeric=True),
            Column("status"),
            *(Column(title, numeric=True) for title, _ in columns),
            Column("path, and why it is left out"),
        ),
        [_row(one, [name for _, name in columns]) for one in trace.points],
        "All columns are in --format csv.",
        "Find a checkpoint",
    )


def _row(one: Point, names: list[str]) -> list[Cell]:
    told = f"{one.path}: {one.reason}" if one.reason else one.path
    return [
        one.at,
        badge(one.status, _STYLES.get(one.status, "unavailable")),
        *(_number(one.row.get(name)) for name in names),
        told,
    ]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
