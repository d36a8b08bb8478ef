"""A regression as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

from itertools import starmap
from math import isfinite
from typing import TYPE_CHECKING, Any

from boundkit.regression.words import p_text
from boundkit.report.escape import escape
from boundkit.report.pages import (
    Chart,
    Charts,
    Column,
    Page,
    Pairs,
    Table,
    Words,
    render_page,
    shortened,
)
from boundkit.report.wording import plural, significant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boundkit.regression.estimates import Coefficient, Interval
    from boundkit.regression.model import Fit, Joint, Point, Regression
    from boundkit.regression.points import LeftOut
    from boundkit.report.pages import Cell

    Part = Words | Charts | Table | Pairs

__all__ = ["CAUTION", "left_out_words", "render"]

CAUTION = (
    "A correlation over these nets. It bounds no error, and says nothing of nets that are "
    "not like these."
)
#: Groups that are drawn, and those that the verdict names.
_DRAWN, _TOLD = 20, 6
#: Room around points, as a share of their width.
_ROOM = 0.06


def render(of: Regression) -> str:
    """Return a regression as one HTML page: line, points, what to think of them.

    Args:
        of: What to show; every name from a file is escaped.
    """
    points = sum(len(fit.points) for fit in of.groups) or len(of.fit.points)
    return render_page(
        Page(
            version=of.boundkit,
            name=f"{of.y} on {of.x}",
            heading=tuple(_heading(of, points)),
            verdict=(*_verdict(of), CAUTION),
            style="fair",
            facts=tuple(_facts(of, points)),
            parts=tuple(_parts(of)),
        )
    )


def _heading(of: Regression, points: int) -> Iterator[str]:
    source = f" · {of.source}" if of.source else ""
    yield (
        f"boundkit {of.boundkit}{source} · {plural(points, 'point')} of "
        f"{plural(of.rows, 'row')}"
    )
    if of.by:
        keys = dict.fromkeys([*of.by, *([of.group] if of.group else [])])
        yield f"means over rows that agree in {', '.join(keys)}"


def _verdict(of: Regression) -> Iterator[str]:
    fits = of.groups or (of.fit,)
    for fit in fits[:_TOLD]:
        name = "" if fit.group is None else f"{of.group} = {fit.group}: "
        if fit.line is None:
            yield f"{name}no line: {fit.reason}"
        else:
            slope = fit.line.slope
            yield (
                f"{name}slope {significant(slope.estimate)}, R2 "
                f"{significant(fit.line.r2)}, {p_text(slope.p)} by Student's t, "
                f"{plural(len(fit.points), 'point')}"
            )
    if len(fits) > _TOLD:
        yield f"{len(fits) - _TOLD} more groups are in the table below."


def _facts(of: Regression, points: int) -> Iterator[tuple[str, str]]:
    yield "points", str(points)
    if of.groups:
        yield "groups", str(len(of.groups))
    line, ranks = of.fit.line, of.fit.ranks
    if line is not None and ranks is not None:
        aside = " (all)" if of.groups else ""
        yield f"R2{aside}", significant(line.r2)
        yield f"slope{aside}", significant(line.slope.estimate)
        yield f"Spearman{aside}", significant(ranks.spearman)


def _parts(of: Regression) -> Iterator[Part]:
    yield Charts("Points and lines", (_chart(of),))
    fits = (of.fit, *of.groups)
    yield _lines(of, fits)
    yield _orders(fits)
    if of.joint is not None:
        yield Pairs(f"All groups of {of.group} in one model", tuple(_joint(of.joint)))
    for title, remarks in (
        ("On the whole", of.remarks),
        *((_name(fit), fit.remarks) for fit in fits),
    ):
        if remarks:
            yield Words(f"What to think of it: {title}", remarks)
    yield _points(of)
    if of.left_out:
        yield Words("Left out", left_out_words(of.left_out))
    yield Pairs(
        "Conventions",
        (
            ("level of every interval", of.level),
            ("resamples of the bootstrap", of.resamples),
            ("seed", of.seed),
        ),
    )


def left_out_words(left_out: tuple[LeftOut, ...]) -> tuple[str, ...]:
    """Return which rows are left out, a sentence for each reason.

    Args:
        left_out: Rows that are no points.
    """
    return tuple(f"{plural(len(one.rows), 'row')}: {one.reason}" for one in left_out)


def _name(fit: Fit) -> str:
    return "all points" if fit.group is None else str(fit.group)


def _chart(of: Regression) -> Chart:
    parts = (of.groups or (of.fit,))[:_DRAWN]
    points = [point for fit in parts for point in fit.points]
    across, up = [(p.x, p.x_sd) for p in points], [(p.y, p.y_sd) for p in points]
    data = {
        "kind": "cloud",
        "x": escape(of.x),
        "y": escape(of.y),
        "groups": [_cloud(fit, of.group) for fit in parts],
        "ranges": [_range(across), _range(up)],
    }
    note = (
        f"Band: {100 * of.level:g} % interval of the line"
        f"{'' if of.groups else '; dotted: of another point'}. Bars: standard deviations "
        "over repeats. A drag zooms in, a double click goes back."
    )
    if len(of.groups) > _DRAWN:
        note += f" The first {_DRAWN} of {len(of.groups)} groups."
    return Chart("", data, note)


def _cloud(fit: Fit, group: str | None) -> dict[str, Any]:
    band = fit.band
    return {
        "label": escape("points" if group is None else f"{group} {fit.group}"),
        "names": [escape(point.label) for point in fit.points],
        "x": shortened(point.x for point in fit.points),
        "y": shortened(point.y for point in fit.points),
        "x_sd": shortened(point.x_sd for point in fit.points),
        "y_sd": shortened(point.y_sd for point in fit.points),
        "band": band
        and {
            "x": shortened(band.x),
            "fitted": shortened(band.fitted),
            "low": shortened(band.low),
            "high": shortened(band.high),
            "under": shortened(band.predicted_low),
            "over": shortened(band.predicted_high),
        },
    }


def _range(values: list[tuple[float, float]]) -> list[float]:
    ends = [
        value + sign * (sd if isfinite(sd) else 0.0)
        for value, sd in values
        for sign in (-1, 1)
    ]
    room = _ROOM * (max(ends) - min(ends)) or 1.0
    return [min(ends) - room, max(ends) + room]


def _lines(of: Regression, fits: tuple[Fit, ...]) -> Table:
    rows: list[list[Cell]] = []
    for fit in fits:
        if fit.line is None:
            rows.append([_name(fit), fit.reason, *[None] * 2, "", "", "", None, None])
            continue
        for name, one in (("slope", fit.line.slope), ("intercept", fit.line.intercept)):
            rows.append([_name(fit), name, *_coefficient(one), fit.line.r2])
    titles = (
        ("estimate", True),
        ("p", True),
        (f"{100 * of.level:g} % interval", False),
        ("HC3", False),
        ("bootstrap", False),
        ("p by HC3", True),
        ("R2", True),
    )
    columns = tuple(starmap(Column, titles))
    return Table("Lines", (Column("group"), Column("coefficient"), *columns), rows)


def _coefficient(of: Coefficient) -> list[Cell]:
    intervals = (of.interval, of.interval_hc3, of.bootstrap)
    return [of.estimate, of.p, *(_interval(one) for one in intervals), of.p_hc3]


def _interval(of: Interval) -> str:
    return f"[{_short(of.low)}, {_short(of.high)}]"


def _short(value: float) -> str:
    return significant(value) if isfinite(value) else "-"


def _orders(fits: tuple[Fit, ...]) -> Table:
    rows: list[list[Cell]] = [
        [
            _name(fit),
            fit.ranks.spearman,
            fit.ranks.spearman_p,
            fit.ranks.kendall,
            fit.ranks.kendall_p,
            fit.ranks.theil_sen,
            _interval(fit.ranks.theil_sen_interval),
            fit.ranks.permutation_p,
        ]
        for fit in fits
        if fit.ranks is not None
    ]
    titles = ("Spearman", "p", "Kendall", "p", "Theil-Sen slope")
    return Table(
        "What rests on order",
        (
            Column("group"),
            *(Column(title, numeric=True) for title in titles),
            Column("its interval"),
            Column("p of the slope by permutation", numeric=True),
        ),
        rows,
    )


def _joint(joint: Joint) -> Iterator[tuple[str, Any]]:
    slope = joint.common_slope
    yield "common slope", f"{significant(slope.estimate)} {_interval(slope.interval)}"
    yield "R2", joint.r2
    for name, trial in (
        ("slopes differ", joint.slopes_differ),
        ("intercepts differ", joint.intercepts_differ),
    ):
        if trial is None:
            yield name, "too few points to tell"
        else:
            first, second = trial.df
            yield name, f"F({first}, {second}) = {_short(trial.f)}, {p_text(trial.p)}"


def _points(of: Regression) -> Table:
    titles = (of.x, of.y, "fitted", "leverage", "studentized", "Cook's distance")
    more = ("slope without it", "R2 without it")
    return Table(
        "Points",
        (
            Column("point"),
            Column("group"),
            *(Column(title, numeric=True) for title in (*titles, *more)),
        ),
        [
            _row(point, "" if fit.group is None else str(fit.group))
            for fit in of.groups or (of.fit,)
            for point in fit.points
        ],
        "All numbers of a point are in --format csv.",
        "Find a point",
    )


def _row(point: Point, group: str) -> list[Cell]:
    return [
        *(point.label, group, point.x, point.y, point.fitted),
        *(point.leverage, point.studentized, point.cooks),
        *(point.slope_without, point.r2_without),
    ]
