"""A regression as text: the lines, statistics of order, influence, and words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.regression.words import p_text
from boundkit.report.escape import escape
from boundkit.report.spans import Line, Span, cells, clip, pad, plain, wrap
from boundkit.report.wording import plural, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.regression.estimates import Coefficient, Interval, Ranks
    from boundkit.regression.model import Fit, Joint, Regression
    from boundkit.regression.points import LeftOut

__all__ = ["left_out_lines", "lines", "number", "remark_lines", "render"]

_MIN_WIDTH = 60
_NAME, _CELL = 14, 20
#: Groups that are shown.
_MOST = 20


def lines(of: Regression, width: int = 100) -> tuple[Line, ...]:
    """Return a regression as lines of (text, style) pairs.

    Args:
        of: The regression.
        width: Columns of a line; fewer than 60 are taken as 60.

    Returns:
        The lines; every name from a file is escaped.
    """
    width = max(width, _MIN_WIDTH)
    found = _heading(of, width)
    found += left_out_lines(of.left_out, width)
    if of.group is None or of.fit.line is not None:
        title = "All points" if of.group else ""
        found += [(), *_fit(of.fit, of, title, width)]
    else:
        found += [
            (),
            *wrap(
                [(f"No line through all: {_safe(of.fit.reason)}", "fair")], width, 2, 2
            ),
        ]
    for fit in of.groups[:_MOST]:
        found += [(), *_fit(fit, of, f"{of.group} = {fit.group}", width)]
    if len(of.groups) > _MOST:
        more = f"{len(of.groups) - _MOST} more groups in --format json"
        found += [(), ((f"  {more}", "dim"),)]
    if of.joint is not None:
        found += [(), *_joint(of.joint, of, width)]
    if of.remarks:
        found += [
            (),
            ((("  On the whole"), "title"),),
            *remark_lines(of.remarks, width),
        ]
    note = (
        "A correlation over these nets. It bounds no error, and says nothing of nets "
        "that are not like these."
    )
    return (*found, (), *wrap([(note, "dim")], width, 2, 2))


def render(of: Regression, width: int = 100) -> str:
    """Return a regression as plain text in lines of at most ``width`` columns."""
    return plain(lines(of, width))


def number(value: float, digits: int = 3) -> str:
    """Return a number for a table; ``-`` where there is none.

    Args:
        value: The number, or NaN.
        digits: Significant ones.
    """
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return significant(value, digits)


def _safe(text: str) -> str:
    return clip(escape(text), 400)


def _heading(of: Regression, width: int) -> list[Line]:
    points = sum(len(fit.points) for fit in of.groups) or len(of.fit.points)
    spans: list[Span] = [
        (f"boundkit {of.boundkit}", "title"),
        (f"· {_safe(of.y)} on {_safe(of.x)}", "name"),
        (f"· {_safe(of.source)}" if of.source else "", ""),
        (f"· {plural(points, 'point')} of {plural(of.rows, 'row')}", ""),
    ]
    if of.by:
        keys = dict.fromkeys([*of.by, *([of.group] if of.group else [])])
        spans.append((f"· means over rows that agree in {_safe(', '.join(keys))}", ""))
    return wrap(spans, width, 0, 2)


def left_out_lines(left_out: Sequence[LeftOut], width: int) -> list[Line]:
    """Return what rows are left out, a line for each reason.

    Args:
        left_out: Rows that are no points.
        width: Columns of a line.
    """
    return [
        line
        for one in left_out
        for line in wrap(
            [
                (
                    f"left out: {plural(len(one.rows), 'row')}, {_safe(one.reason)}",
                    "fair",
                )
            ],
            width,
            2,
            4,
        )
    ]


def remark_lines(remarks: Sequence[str], width: int) -> list[Line]:
    """Return remarks, each from a star on.

    Args:
        remarks: In words.
        width: Columns of a line.
    """
    return [
        line
        for one in remarks
        for line in wrap([(f"* {escape(one)}", "")], width, 2, 4)
    ]


def _fit(fit: Fit, of: Regression, title: str, width: int) -> list[Line]:
    found: list[Line] = []
    if title:
        count = plural(len(fit.points), "point")
        found.append(((f"  {_safe(title)}", "title"), (f"  {count}", "")))
    if fit.line is None or fit.ranks is None:
        why = f"not fitted: {_safe(fit.reason)}"
        return [*found, *wrap([(why, "fair")], width, 2, 4)]
    facts = (
        f"R2 {number(fit.line.r2)}",
        f"adjusted {number(fit.line.r2_adjusted)}",
        f"residual sd {number(fit.line.residual_sd)}",
        f"n {len(fit.points)}",
    )
    return [
        *found,
        _titles(of.level, width),
        _coefficient("slope", fit.line.slope, width),
        _coefficient("intercept", fit.line.intercept, width),
        *_facts("fit", facts, width),
        *_facts("order", _order(fit.ranks), width),
        *_facts("leave one out", _without(fit), width),
        *remark_lines(fit.remarks, width),
    ]


def _intervals_shown(width: int) -> int:
    """Return how many of the three intervals fit."""
    return min(max((width - _NAME - 26) // _CELL, 1), 3)


def _titles(level: float, width: int) -> Line:
    shown = (f"{100 * level:g} % interval", "HC3", "bootstrap")[
        : _intervals_shown(width)
    ]
    return (
        (f"  {'':{_NAME}}{pad('estimate', 12, 'right')}", "dim"),
        *((pad(each, _CELL, "right"), "dim") for each in shown),
        (pad("p", 12, "right"), "dim"),
    )


def _coefficient(name: str, of: Coefficient, width: int) -> Line:
    shown = (of.interval, of.interval_hc3, of.bootstrap)[: _intervals_shown(width)]
    return (
        (f"  {name:{_NAME}}", "name"),
        (pad(number(of.estimate), 12, "right"), ""),
        *((pad(_interval(each), _CELL, "right"), "") for each in shown),
        (pad(number(of.p, 2), 12, "right"), ""),
    )


def _facts(name: str, facts: Sequence[str], width: int) -> list[Line]:
    """Return facts after a name, as many on a line as fit."""
    room, texts = width - _NAME - 4, [""]
    for fact in facts:
        joined = f"{texts[-1]}   {fact}" if texts[-1] else fact
        if cells(joined) <= room:
            texts[-1] = joined
        else:
            texts += plain(wrap([(fact, "")], room, 0, 2)).splitlines()
    texts = [text for text in texts if text]
    return [
        ((f"  {name if not i else '':{_NAME}}  ", "name"), (text, ""))
        for i, text in enumerate(texts)
    ]


def _order(ranks: Ranks) -> tuple[str, ...]:
    how = f"{'all ' if ranks.exact else ''}{ranks.orders:,} orders"
    return (
        f"Spearman {number(ranks.spearman)} ({p_text(ranks.spearman_p)})",
        f"Kendall {number(ranks.kendall)} ({p_text(ranks.kendall_p)})",
        f"Theil-Sen slope {number(ranks.theil_sen)} {_interval(ranks.theil_sen_interval)}",
        f"slope by permutation {p_text(ranks.permutation_p)} ({how})",
    )


def _without(fit: Fit) -> tuple[str, ...]:
    """Return between which slopes the line moves where one point is left out."""
    known = [p for p in fit.points if math.isfinite(p.slope_without)]
    if not known:
        return ()
    low = min(known, key=lambda p: p.slope_without)
    high = max(known, key=lambda p: p.slope_without)
    return (
        f"slope from {number(low.slope_without)} (without {_short(low.label)})",
        f"to {number(high.slope_without)} (without {_short(high.label)})",
    )


def _short(label: str) -> str:
    return clip(escape(label), 40)


def _interval(of: Interval) -> str:
    return f"[{number(of.low)}, {number(of.high)}]"


def _joint(joint: Joint, of: Regression, width: int) -> list[Line]:
    found: list[Line] = [
        ((f"  All groups of {_safe(of.group or '')} in one model", "title"),),
        _coefficient("common slope", joint.common_slope, width),
    ]
    trials = (
        ("slopes differ", joint.slopes_differ),
        ("intercepts differ", joint.intercepts_differ),
    )
    texts = [f"R2 {number(joint.r2)}"]
    for name, trial in trials:
        if trial is None:
            texts.append(f"{name}: too few points to tell")
        else:
            first, second = trial.df
            texts.append(
                f"{name}: F({first}, {second}) = {number(trial.f)}, {p_text(trial.p)}"
            )
    return [*found, *wrap([("; ".join(texts), "")], width, 2, 4)]
