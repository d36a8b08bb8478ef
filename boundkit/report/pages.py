"""HTML pages that need nothing else: no network, no other file.

A page is made of parts, from top to bottom: words, charts, tables, pairs of name and value.
Without JavaScript it has all its text; with it, tables sort and filter, and charts are
drawn by uPlot (MIT license), which is in the page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from html import escape as quoted
from importlib.resources import files
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from boundkit.report.escape import escape
from boundkit.report.wording import at_most, significant, sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jinja2 import Environment

__all__ = [
    "Cell",
    "Chart",
    "Charts",
    "Column",
    "Page",
    "Pairs",
    "Table",
    "Words",
    "badge",
    "framed",
    "render_page",
    "shortened",
    "written",
]

#: Rows of a table; browsers take longer for more.
_MOST = 4000

#: A name, a number (None where there is none), or what ``badge`` returns.
Cell: TypeAlias = "str | float | dict[str, str] | None"


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences under a title.

    Attributes:
        title: Above them, or "".
        lines: A paragraph each; they may hold text from files.
        soft: Whether they are aside.
    """

    kind: ClassVar[str] = "words"
    title: str
    lines: tuple[str, ...]
    soft: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """What the page's script draws.

    Attributes:
        title: Above it.
        data: As ``page.js`` reads it; ``kind`` says which chart.
        note: Below it, or "".
    """

    title: str
    data: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Charts:
    """Charts side by side, where there is room."""

    kind: ClassVar[str] = "charts"
    title: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column; numbers stand right and sort by value."""

    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows that sort by any column.

    Attributes:
        title: Above it.
        columns: Heads.
        rows: Of as many cells.
        note: Between title and table, or "".
        find: What the field says that filters rows; "" for no such field.
    """

    kind: ClassVar[str] = "table"
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    find: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Names and values, folded where they are many."""

    kind: ClassVar[str] = "pairs"
    title: str
    rows: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One page.

    Attributes:
        version: Of boundkit.
        name: What it is about; its title.
        heading: Below that, a line each.
        verdict: What a reader should know first.
        style: ``"good"`` or ``"fair"``.
        facts: Label and value of what is looked for first.
        parts: From top to bottom.
    """

    version: str
    name: str
    heading: tuple[str, ...]
    verdict: tuple[str, ...]
    style: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Words | Charts | Table | Pairs, ...]


def badge(text: str, style: str) -> dict[str, str]:
    """Return a cell that stands out.

    Args:
        text: Short.
        style: ``"valid"``, ``"assumed"``, ``"invalid"`` or ``"unavailable"``.
    """
    return {"text": text, "style": style}


def render_page(page: Page) -> str:
    """Return the page as HTML; every text is escaped.

    Args:
        page: Its parts.
    """
    charts = [
        {"place": f"chart-{at}-{k}", **chart.data}
        for at, part in enumerate(page.parts)
        if isinstance(part, Charts)
        for k, chart in enumerate(part.charts)
    ]
    found = {
        "version": page.version,
        "name": page.name,
        "heading": page.heading,
        "verdict": page.verdict,
        "verdict_style": page.style,
        "facts": page.facts,
        "parts": page.parts,
    }
    return written("parts.html.jinja", found, {"charts": charts})


def framed(page: str, title: str) -> str:
    """Return a page in a frame that keeps it to itself, for notebooks.

    Args:
        page: HTML.
        title: Of the frame.
    """
    return (
        f'<iframe sandbox="allow-scripts" title="{quoted(title)}" '
        'style="width:100%;height:36rem;border:1px solid #8884;border-radius:6px" '
        f'srcdoc="{quoted(page)}"></iframe>'
    )


def shortened(values: Iterable[float | None]) -> list[float | None]:
    """Return numbers with six digits, None for those that are not finite.

    Args:
        values: To draw.
    """
    return [
        float(f"{value:.6g}") if value is not None and isfinite(value) else None
        for value in values
    ]


def written(template: str, parts: Mapping[str, Any], data: Any) -> str:
    """Return a template of the folder ``page`` filled in, style and scripts inside.

    Args:
        template: Its name.
        parts: What it shows.
        data: What its script draws, as JSON.
    """
    fixed = {
        "most": _MOST,
        "css": _ours("page.css"),
        "js": _ours("page.js"),
        "chart_css": _ours("uPlot.css"),
        "chart_js": _ours("uPlot.js"),
    }
    return (
        _environment()
        .get_template(template)
        .render({**fixed, **parts, "data": _embedded(data)})
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        loader=FunctionLoader(_read),
    )
    environment.filters |= {
        "shown": escape,
        "sizes": sizes,
        "number": _number,
        "brief": _brief,
        "above": _above,
        "sortable": _sortable,
    }
    return environment


def _read(name: str) -> str:
    return files("boundkit.report").joinpath("page", name).read_text("utf-8")


@cache
def _ours(name: str) -> Any:
    """Return a part of the page that is ours, hence markup."""
    from markupsafe import Markup

    return Markup(_read(name))  # noqa: S704 - a file of this package, no input


def _embedded(data: Any) -> Any:
    from markupsafe import Markup

    found = json.dumps(data, allow_nan=False, separators=(",", ":"))
    # No tag can end inside: the characters that could are spelled as JSON escapes.
    safe = found.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(safe)  # noqa: S704 - escaped on the line before


def _brief(value: float | None) -> str:
    return _number(value, 4)


def _number(value: Any, digits: int = 6) -> str:
    """Return a value in words; a number with as many digits as a reader compares."""
    if value is None:
        return "-"
    if isinstance(value, float):
        if not isfinite(value):
            return "-" if value != value else f"{value:+}".removeprefix("+")  # noqa: PLR0124 - NaN
        found = significant(value, digits)
        plainly = "." in found and "e" not in found
        return found.rstrip("0").rstrip(".") if plainly else found
    return escape(str(value))


def _above(value: float | None) -> str:
    """Return an upper bound with six digits, rounded up so that it still is one."""
    return "-" if value is None else at_most(value, digits=6)


def _sortable(value: float | None) -> str:
    """Return what a column sorts by: nothing for what is no number."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return ""
    return {float("inf"): "Infinity", float("-inf"): "-Infinity"}.get(value, str(value))
