"""A comparison as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.comparison_text import (
    agreement_lines,
    level_words,
    verdict_lines,
)
from boundkit.report.escape import escape
from boundkit.report.pages import (
    Chart,
    Charts,
    Column,
    Page,
    Table,
    Words,
    badge,
    render_page,
    shortened,
)
from boundkit.report.spans import plain
from boundkit.report.wording import at_most, sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from boundkit.report.comparison_model import ComparedLayer, Comparison
    from boundkit.report.pages import Cell
    from boundkit.report.spans import Line
    from boundkit.types import Certificate

__all__ = ["render"]

#: Wide enough that no sentence is broken.
_WIDE = 10_000
#: Nets that are drawn.
_DRAWN = 30


def render(comparison: Comparison) -> str:
    """Return a comparison as one HTML page: whose bound is smaller, norm by norm.

    Args:
        comparison: What to show; every name from a file is escaped.
    """
    count = len(comparison.labels)
    return render_page(
        Page(
            version=comparison.boundkit,
            name=f"{count} checkpoints of one architecture",
            heading=(f"boundkit {comparison.boundkit}", level_words(comparison)[0]),
            verdict=_sentences(verdict_lines(comparison, _WIDE)),
            style="good" if comparison.relative.status == "valid" else "fair",
            facts=tuple(_facts(comparison)),
            parts=tuple(_parts(comparison)),
        )
    )


def _sentences(lines: Iterable[Line]) -> tuple[str, ...]:
    return tuple(one.strip() for one in plain(lines).splitlines() if one.strip())


def _facts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    yield "nets", str(len(comparison.labels))
    yield "status", comparison.relative.status
    if comparison.ranking:
        yield "smallest bound", " = ".join(comparison.ranking[0])


def _parts(comparison: Comparison) -> Iterator[Words | Charts | Table]:
    yield _nets(comparison)
    counted = [one for one in comparison.layers if one.counted]
    if len(counted) > 1:
        yield Charts("Norms", (_chart(comparison, counted),))
    yield _norms(comparison)
    if comparison.certificates:
        yield _bounds(comparison)
    agreements = _sentences(agreement_lines(comparison, _WIDE))
    if agreements:
        yield Words(agreements[0], agreements[1:])
    if comparison.warnings:
        told = tuple(f"{one.code}: {one.message}" for one in comparison.warnings)
        yield Words("Warnings", told)


def _nets(comparison: Comparison) -> Table:
    found = comparison.relative
    ranks = {x: place for place, xs in enumerate(comparison.ranking, 1) for x in xs}
    titles = ("rho", "gamma", "log10 of rho / gamma", "rank", "held-out error")
    rows: list[list[Cell]] = [
        [
            label,
            comparison.reports[at].checkpoint.source,
            found.rhos[at].value,
            found.chosen.margins[at],
            found.chosen.log10_ratios[at],
            ranks.get(label),
            found.test_errors[at],
        ]
        for at, label in enumerate(comparison.labels)
    ]
    columns = (Column("net"), Column("checkpoint"))
    return Table(
        "Nets", (*columns, *(Column(one, numeric=True) for one in titles)), rows
    )


def _chart(comparison: Comparison, counted: list[ComparedLayer]) -> Chart:
    data = {
        "kind": "curves",
        "counts": "layer",
        "places": list(range(1, len(counted) + 1)),
        "across": {"type": "whole"},
        "up": {"type": "linear"},
        "began": None,
        "lines": [
            {
                "label": escape(label),
                "values": shortened(one.log10_rho[at] for one in counted),
            }
            for at, label in enumerate(comparison.labels[:_DRAWN])
        ],
    }
    more = len(comparison.labels) - _DRAWN
    return Chart(
        "log10 of the norm, layer by layer",
        data,
        f"The first {_DRAWN} of {len(comparison.labels)} nets." if more > 0 else "",
    )


def _norms(comparison: Comparison) -> Table:
    return Table(
        "Layers",
        (
            Column("layer"),
            Column("kind"),
            *(Column(label, numeric=True) for label in comparison.labels),
        ),
        [
            [
                one.name,
                (
                    f"{one.kind} {sizes(one.shape)}"
                    f"{'' if one.counted else ' (not counted)'}"
                ),
                *one.rho,
            ]
            for one in comparison.layers
        ],
        "Frobenius norms of the stored weights.",
        "Find a layer",
    )


def _bounds(comparison: Comparison) -> Table:
    return Table(
        "Bounds on the test error",
        (Column("bound"), *(Column(label) for label in comparison.labels)),
        [
            [bound, *(_bound(one) for one in row)]
            for bound, row in comparison.certificates.items()
        ],
        "Each with its probability by itself; boundkit analyze says what it rests on.",
    )


def _bound(one: Certificate) -> Cell:
    if one.status in {"invalid", "unavailable"}:
        return badge(one.status, one.status)
    value = float("inf") if one.value is None else one.value
    return badge(f"{at_most(value, one.log10)} {one.status}", one.status)
