"""The report as Markdown, for summaries of pull requests and model cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.markup import cell, row
from boundkit.report.sections.bound_table import bound_cells, bound_title
from boundkit.report.sections.heading import heading
from boundkit.report.sections.headline import headline
from boundkit.report.sections.layer_table import layer_cells, rho_sentence
from boundkit.report.sections.omissions import omissions
from boundkit.report.spans import plain
from boundkit.report.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boundkit.report.model import Report
    from boundkit.report.spans import Line

__all__ = ["render"]

#: Wide enough that no sentence is broken.
_WIDE = 10_000
#: Rows of a table; services cut long comments off.
_MOST = 60


def render(report: Report) -> str:
    """Return the report as Markdown: verdict first, then bounds, layers, warnings.

    Names from the checkpoint are escaped, so that none is taken for markup.

    Args:
        report: What to show.
    """
    parts = (
        _head(report),
        _paragraphs(headline(report, _WIDE)),
        _bounds(report),
        _layers(report),
        _paragraphs(omissions(report, _WIDE)),
        _warnings(report),
    )
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head(report: Report) -> Iterator[str]:
    yield f"## {cell(report.checkpoint.source)}"
    yield ""
    yield cell(plain(heading(report, _WIDE)).strip())
    yield ""


def _paragraphs(lines: tuple[Line, ...]) -> Iterator[str]:
    """Yield lines of the text report; entries become items."""
    if not lines:
        return
    listed = False
    for line in plain(lines).splitlines():
        written = line.strip()
        item = line.startswith("    ")
        if listed and not item:
            yield ""
        yield f"- {cell(written.removeprefix('- '))}" if item else cell(written)
        if not item:
            yield ""
        listed = item
    if listed:
        yield ""


def _bounds(report: Report) -> Iterator[str]:
    if not report.certificates:
        return
    yield f"### {cell(bound_title(report))}"
    yield ""
    yield row("bound", "at most", "status", "made of, or why not")
    yield row("---", "---:", "---", "---")
    for one in bound_cells(report):
        value = f"**{cell(one.value)}**" if one.starred else cell(one.value)
        yield row(cell(one.bound), value, one.status, cell(one.detail))
    yield ""


def _layers(report: Report) -> Iterator[str]:
    yield "### Layers"
    yield ""
    if not report.layers:
        yield "No layer was found, so there is no rho."
        yield ""
        return
    yield row("layer", "kind", "rho\\_k", "of log rho", "spectral", "stable rank")
    yield row("---", "---", "---:", "---:", "---:", "---:")
    for one in layer_cells(report)[:_MOST]:
        yield row(
            cell(one.name), cell(one.kind), one.rho, one.shown, one.spectral,
            one.stable_rank,
        )  # fmt: skip
    yield ""
    if len(report.layers) > _MOST:
        rest = plural(len(report.layers) - _MOST, "more layer")
        yield f"and {rest}; all of them are in --format json"
        yield ""
    yield from (cell(line) for line in rho_sentence(report).splitlines())
    yield ""


def _warnings(report: Report) -> Iterator[str]:
    if not report.warnings:
        return
    yield "### Warnings"
    yield ""
    for one in report.warnings[:_MOST]:
        yield f"- **{cell(one.code)}** {cell(one.message[:600])}"
    if len(report.warnings) > _MOST:
        yield f"- and {plural(len(report.warnings) - _MOST, 'more warning')}"
    yield ""
