"""The report as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.page_data import charts, facts, heat_maps, measured, provenance
from boundkit.report.pages import written
from boundkit.report.sections.bound_table import bound_cells, bound_title
from boundkit.report.sections.heading import heading
from boundkit.report.sections.headline import headline
from boundkit.report.sections.layer_table import layer_cells, rho_sentence
from boundkit.report.sections.omissions import omissions
from boundkit.report.spans import plain

if TYPE_CHECKING:
    from boundkit.report.model import LayerRow, Report
    from boundkit.report.sections.layer_table import LayerCells
    from boundkit.report.spans import Line

__all__ = ["render"]

#: Wide enough that no sentence is broken.
_WIDE = 10_000
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
    parts = {
        "version": report.boundkit,
        "name": report.checkpoint.source,
        "report": report,
        "heading": _sentences(heading(report, _WIDE)),
        "verdict": _sentences(first),
        "verdict_style": "good" if proved else "fair",
        "facts": facts(report),
        "title": bound_title(report) if report.certificates else "",
        "bounds": list(
            zip(report.certificates.values(), bound_cells(report), strict=True)
        ),
        "layers": _layers(report),
        "rho": rho_sentence(report).splitlines(),
        "charts": drawn,
        "heat": heat_maps(report),
        "measured": measured(report),
        "omissions": _sentences(omissions(report, _WIDE)),
        "provenance": provenance(report),
    }
    return written("page.html.jinja", parts, drawn)


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
