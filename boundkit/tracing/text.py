"""A trace as text: the course in a table, the terminal phase, the fits, what is amiss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.report.escape import escape
from boundkit.report.spans import cells, clip, pad, plain, wrap
from boundkit.report.wording import at_most, plural, power, significant
from boundkit.tracing.phase import TEST_ERROR, TRAIN_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable

    from boundkit.report.spans import Line
    from boundkit.tracing.model import Trace
    from boundkit.tracing.points import Point

__all__ = [
    "COLUMNS",
    "bound_columns",
    "fit_lines",
    "lines",
    "render",
    "terminal_lines",
]

_MIN_WIDTH = 60
#: Checkpoints in the table; more are thinned out evenly, ends and terminal phase kept.
_MOST_ROWS, _MOST_NOTES = 30, 12

#: Title and column of what the table shows, where the run has it.
COLUMNS = (
    ("rho", "rho"),
    ("margin", "margins.median"),
    ("margin/rho", "margins.normalized.median"),
    ("train err", TRAIN_ERROR),
    ("test err", TEST_ERROR),
    ("NC1", "collapse.nc1_pinv"),
    ("NC2", "collapse.nc2_equinorm_means"),
    ("NC3", "collapse.nc3_frobenius"),
    ("NC4", "collapse.nc4_mismatch"),
    ("L_perp/L", "collapse.mse.perp_share"),
    ("stable rank", "measure.stable_rank.mean"),
)
_SHARES = frozenset({TRAIN_ERROR, TEST_ERROR, "collapse.nc4_mismatch"})
_LEGEND = {
    "margin": "margin: median of the training sample",
    "NC1": "NC1: tr(Sigma_W Sigma_B^+)",
    "NC2": "NC2: spread of the norms of class means",
    "NC3": "NC3: |W/|W| - M/|M||",
    "NC4": "NC4: net unlike nearest mean",
    "stable rank": "stable rank: mean over layers",
}


def lines(trace: Trace, width: int = 100) -> tuple[Line, ...]:
    """Return the trace as lines of (text, style) pairs, parts set off by a blank.

    Args:
        trace: What to show.
        width: Columns of a line; fewer than 60 are taken as 60.

    Returns:
        The lines; every name from a file is escaped.
    """
    parts: tuple[Callable[[Trace, int], list[Line]], ...] = (
        _heading,
        _table,
        terminal_lines,
        fit_lines,
        _notes,
    )
    found: list[Line] = []
    for part in parts:
        block = part(trace, max(width, _MIN_WIDTH))
        if block:
            found += [(), *block]
    return tuple(found[1:])


def render(trace: Trace, width: int = 100) -> str:
    """Return the trace as plain text in lines of at most ``width`` columns.

    Args:
        trace: What to show.
        width: Columns of a line.
    """
    return plain(lines(trace, width))


def _heading(trace: Trace, width: int) -> list[Line]:
    course, axis = trace.course, escape(trace.order.axis)
    span = f"{axis} {course[0].at:g} to {course[-1].at:g}"
    return wrap(
        [
            (f"boundkit {trace.boundkit}", "title"),
            (f"· {clip(escape(trace.run), width - 30)}", "name"),
            (f"· {len(course)} of {len(trace.points)} checkpoints, {span}", ""),
            (f"· ordered by {escape(trace.order.source)}", "dim"),
        ],
        width,
        0,
        2,
    )


def _table(trace: Trace, width: int) -> list[Line]:
    shown = _thinned(trace)
    columns = [*COLUMNS, *bound_columns(trace)]
    columns = [
        (title, name)
        for title, name in columns
        if any(one.row.get(name) is not None for one in trace.course)
    ]
    heads = [escape(trace.order.axis), *(title for title, _ in columns)]
    body = [
        [f"{one.at:g}", *(_cell(one, name) for _, name in columns)] for one in shown
    ]
    sizes = [max(map(cells, each)) for each in zip(heads, *body, strict=True)]
    began = None if trace.terminal is None else trace.terminal.began
    late = [began is not None and (one.at or 0.0) >= began for one in shown]
    found: list[Line] = []
    for block in _blocks(sizes, width):
        found += [()] if found else []
        found.append(((_joined(heads, sizes, block), "dim"),))
        for row, terminal in zip(body, late, strict=True):
            mark = " *" if terminal else ""
            found.append(((_joined(row, sizes, block), ""), (mark, "good")))
    return [*found, *_legend(heads, len(trace.course), width)]


def _blocks(sizes: list[int], width: int) -> list[list[int]]:
    """Return the columns that fit side by side, the first in each block."""
    blocks: list[list[int]] = [[0]]
    for at in range(1, len(sizes)):
        taken = sum(sizes[place] + 2 for place in blocks[-1])
        if len(blocks[-1]) > 1 and taken + sizes[at] + 6 > width:
            blocks.append([0])
        blocks[-1].append(at)
    return blocks


def _joined(row: list[str], sizes: list[int], block: list[int]) -> str:
    return "  " + "  ".join(pad(row[at], sizes[at], "right") for at in block)


def _legend(heads: list[str], count: int, width: int) -> list[Line]:
    told = [_LEGEND[head] for head in heads if head in _LEGEND]
    if count > _MOST_ROWS:
        told.append(f"{_MOST_ROWS} of {count} checkpoints; all with --format csv")
    return wrap([("; ".join(told), "dim")], width, 2, 2) if told else []


def bound_columns(trace: Trace) -> list[tuple[str, str]]:
    """Return title and column of the first bound that has values, if there is one.

    Args:
        trace: Whose columns.
    """
    for name in trace.course[-1].row:
        plain_name = name.startswith("bound.") and name.count(".") == 1
        if plain_name and trace.course[-1].row[name] is not None:
            return [(f"bound {name.removeprefix('bound.')}", name)]
    return []


def _thinned(trace: Trace) -> list[Point]:
    course = trace.course
    if len(course) <= _MOST_ROWS:
        return list(course)
    step = (len(course) - 1) / (_MOST_ROWS - 1)
    kept = {round(at * step) for at in range(_MOST_ROWS)}
    if trace.terminal is not None and trace.terminal.began is not None:
        kept.add(next(i for i, p in enumerate(course) if p.at == trace.terminal.began))
    return [course[at] for at in sorted(kept)]


def _cell(one: Point, name: str) -> str:
    value: Any = one.row.get(name)
    if value is None:
        log10 = one.row.get("log10_rho") if name == "rho" else None
        return power(log10)
    if name in _SHARES:
        return _percent(value)
    return at_most(value) if name.startswith("bound.") else significant(value)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def terminal_lines(trace: Trace, width: int) -> list[Line]:
    """Return where the terminal phase began, and what it did to the test accuracy.

    Args:
        trace: What to show.
        width: Columns of a line.
    """
    found, axis = trace.terminal, escape(trace.order.axis)
    if found is None:
        return wrap([(_NO_ERROR, "dim")], width, 2, 2)
    if found.began is None:
        least = _percent(found.least_error or 0.0)
        text = f"No terminal phase: the smallest training error of a checkpoint is {least}."
        return wrap([(text, "")], width, 2, 2)
    where = (
        "at the first checkpoint already"
        if found.after is None
        else f"between {axis} {found.after:g} and {found.began:g}"
    )
    text = f"* Terminal phase: training error is first 0 {where}"
    if found.for_good is None:
        text += ", but not at the last checkpoint"
    elif found.for_good > found.began:
        text += f", and stays 0 from {axis} {found.for_good:g} on"
    spans = [(f"{text}.", "")]
    if found.gain is not None:
        spans.append((
            (
                f"Test accuracy {_percent(found.accuracy_then or 0.0)} there, "
                f"{_percent(found.accuracy_end or 0.0)} at the end: {100 * found.gain:+.2f} "
                "percentage points."
            ),
            "",
        ))
    return wrap([(word, "") for word, _ in spans], width, 2, 4)


_NO_ERROR = (
    "Margins, errors, collapse and the terminal phase need the training sample: --model "
    "and --data."
)


def fit_lines(trace: Trace, width: int) -> list[Line]:
    """Return what the flow of signal-to-noise values fits, or why it was not fitted.

    Args:
        trace: What to show.
        width: Columns of a line.
    """
    flow, axis = trace.flow, escape(trace.order.axis)
    if flow is None:
        if trace.terminal is None:
            return []
        text = f"Signal-to-noise dynamics: not fitted; it {trace.no_flow}."
        return wrap([(escape(text), "dim")], width, 2, 4)
    c1, c2, c3 = flow.constants
    phase = "terminal phase" if flow.terminal else "all checkpoints"
    law = (
        f"Signal-to-noise dynamics: {c1:g} log w + {c2:g} w^2 + {c3:g} w^4 = a + t, "
        f"{plural(len(flow.ranks), 'value')} at {len(flow.places)} checkpoints ({phase})."
    )
    backward = "" if flow.rate > 0 else " The values shrink, against the law."
    by_place = (
        f"t proportional to the {axis}: residual {_percent(flow.residual_by_place)} of w, "
        f"R2 {flow.r2_by_place:.3f}, {flow.rate:.3g} of flow time per {axis}.{backward}"
    )
    free = (
        f"one free t per checkpoint: residual {_percent(flow.residual_free)} of w, "
        f"R2 {flow.r2_free:.3f}."
    )
    if len(flow.ranks) == 1:
        free = "one free t per checkpoint: fits any run, since there is one value only."
    fits = (by_place, free)
    caution = (
        "The law is of a renormalized flow of free features on the central path, without "
        "weight decay; how well it fits says how near the run is to that, no more."
    )
    return [
        *wrap([(law, "")], width, 2, 4),
        *(line for fit in fits for line in wrap([(fit, "")], width, 4, 6)),
        *wrap([(caution, "dim")], width, 4, 4),
    ]


def _notes(trace: Trace, width: int) -> list[Line]:
    told = [
        f"{one.status}: {one.path}: {one.reason.removeprefix(f'{one.path}: ')}"
        for one in trace.points
        if one.status != "traced"
    ]
    told += [f"note: {line}" for line in trace.notices]
    more = len(told) - _MOST_NOTES
    if more > 0:
        told = [*told[:_MOST_NOTES], f"… {more:,} more; --format csv has all"]
    return [
        line for each in told for line in wrap([(escape(each), "fair")], width, 2, 4)
    ]
