"""The report as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from boundkit.report.escape import escape
from boundkit.report.page_data import charts, facts, heat_maps, measured, provenance
from boundkit.report.sections.bound_table import bound_cells, bound_title
from boundkit.report.sections.heading import heading
from boundkit.report.sections.headline import headline
from boundkit.report.sections.layer_table import layer_cells, rho_sentence
from boundkit.report.sections.omissions import omissions
from boundkit.report.spans import plain
from boundkit.report.wording import at_most, significant, sizes

if TYPE_CHECKING:
    from jinja2 import Template

    from boundkit.report.model import LayerRow, Report
    from boundkit.report.sections.layer_table import LayerCells
    from boundkit.report.spans import Line

__all__ = ["render"]

#: Wide enough that no sentence is broken.
_WIDE = 10_000
#: Rows of a table; browsers take longer for more.
_MOST = 4000
#: Widest bar of the layer table, in em.
_BAR = 6.0


def render(report: Report) -> str:
    """Return the report as one HTML page: verdict, bounds, layers, charts, ledger.

    The page asks the network for nothing. Without JavaScript it has all its text; with
    it, tables sort and filter and charts are drawn, by uPlot (MIT license), which is in
    the page. Every name from the checkpoint is escaped.

    Args:
        report: What to show.
    """
    first = headline(report, _WIDE)
    proved = any(style == "good" for line in first for _, style in line)
    drawn = charts(report)
    return _template().render(
        report=report,
        most=_MOST,
        heading=_sentences(heading(report, _WIDE)),
        verdict=_sentences(first),
        verdict_style="good" if proved else "fair",
        facts=facts(report),
        title=bound_title(report) if report.certificates else "",
        bounds=list(
            zip(report.certificates.values(), bound_cells(report), strict=True)
        ),
        layers=_layers(report),
        rho=rho_sentence(report).splitlines(),
        charts=drawn,
        heat=heat_maps(report),
        measured=measured(report),
        omissions=_sentences(omissions(report, _WIDE)),
        provenance=provenance(report),
        data=_embedded(drawn),
        css=_part("page.css"),
        js=_part("page.js"),
        chart_css=_part("uPlot.css"),
        chart_js=_part("uPlot.js"),
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters |= {
        "shown": escape,
        "sizes": sizes,
        "number": _number,
        "above": _above,
    }
    written = files("boundkit.report").joinpath("page/page.html.jinja")
    return environment.from_string(written.read_text("utf-8"))


@cache
def _part(name: str) -> Any:
    """Return a part of the page that is ours, hence markup."""
    from markupsafe import Markup

    written = files("boundkit.report").joinpath("page", name).read_text("utf-8")
    return Markup(written)  # noqa: S704 - a file of this package, no input


def _embedded(data: Any) -> Any:
    from markupsafe import Markup

    written = json.dumps(data, allow_nan=False, separators=(",", ":"))
    # No tag can end inside: the characters that could are spelled as JSON escapes.
    safe = (
        written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    )
    return Markup(safe)  # noqa: S704 - escaped on the line before


def _sentences(lines: tuple[Line, ...]) -> list[str]:
    return [line.strip() for line in plain(lines).splitlines() if line.strip()]


def _layers(report: Report) -> list[tuple[LayerRow, LayerCells, str]]:
    rows = layer_cells(report)
    largest = max((abs(row.share or 0.0) for row in rows), default=0.0)
    return [
        (layer, row, _width(row.share, largest))
        for layer, row in zip(report.layers, rows, strict=True)
    ]


def _width(share: float | None, largest: float) -> str:
    return f"{_BAR * abs(share) / largest:.2f}" if share and largest else ""


def _number(value: Any) -> str:
    """Return a value in words; a number with six digits, as many as a reader compares."""
    if value is None:
        return "-"
    if isinstance(value, float):
        written = significant(value, 6)
        plainly = "." in written and "e" not in written
        return written.rstrip("0").rstrip(".") if plainly else written
    return escape(str(value))


def _above(value: float | None) -> str:
    """Return an upper bound with six digits, rounded up so that it still is one."""
    return "-" if value is None else at_most(value, digits=6)
