"""A ranking as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.regression.html import CAUTION, left_out_words
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

    from boundkit.regression.ranking_model import Measure, Ranking
    from boundkit.report.pages import Cell

__all__ = ["render"]

#: Measures that are drawn.
_DRAWN = 40
_COLUMNS = (
    "nets",
    "tau",
    "p",
    "Spearman",
    "Psi",
    "CMI",
    "pairs",
    "sign error, mean",
    "90 %",
    "worst",
)
_LEGEND = (
    "Sign: + where the measure grows with the error. tau: Kendall over all pairs. Psi: "
    "granulated, CMI: conditional mutual information (Jiang et al. 2020). Sign errors: "
    "share of pairs in the wrong order, 0.5 is chance (Dziugaite et al. 2020)."
)


def render(of: Ranking) -> str:
    """Return a ranking as one HTML page: measures, best first.

    Args:
        of: What to show; every name from a file is escaped.
    """
    source = f" · {of.source}" if of.source else ""
    return render_page(
        Page(
            version=of.boundkit,
            name=f"measures that order {of.y}",
            heading=(
                (
                    f"boundkit {of.boundkit}{source} · {plural(of.nets, 'net')} of "
                    f"{plural(of.rows, 'row')}"
                ),
            ),
            verdict=(*_verdict(of), CAUTION),
            style="fair",
            facts=tuple(_facts(of)),
            parts=tuple(_parts(of)),
        )
    )


def _verdict(of: Ranking) -> Iterator[str]:
    if of.measures:
        best = of.measures[0]
        side = "grows" if best.direction > 0 else "falls"
        yield f"Best: {best.name}, which {side} with {of.y}."


def _facts(of: Ranking) -> Iterator[tuple[str, str]]:
    yield "nets", str(of.nets)
    yield "measures", str(len(of.measures))
    if of.measures:
        yield "tau of the best", significant(of.measures[0].kendall)
    if of.test_size:
        yield "test samples", f"{of.test_size:,}"


def _parts(of: Ranking) -> Iterator[Words | Charts | Table | Pairs]:
    drawn = of.measures[:_DRAWN]
    if drawn:
        data = {
            "kind": "bars",
            "names": [escape(one.name) for one in drawn],
            "values": shortened(one.kendall for one in drawn),
            "label": "tau",
        }
        note = f"Best first{_first(of)}. Below 0: the measure falls as the error grows."
        yield Charts("Correlations", (Chart("Kendall's tau", data, note),))
    columns = (Column("measure"), Column("sign"), Column("alike"))
    yield Table(
        "Measures, best first",
        (*columns, *(Column(title, numeric=True) for title in _COLUMNS)),
        [_row(one) for one in of.measures],
        _LEGEND,
        "Find a measure",
    )
    if of.remarks:
        yield Words("What to think of it", of.remarks)
    if of.left_measures:
        yield Table(
            "Not ranked",
            (Column("measure"), Column("reason")),
            [[one.name, one.reason] for one in of.left_measures],
        )
    if of.left_out:
        yield Words("Left out", left_out_words(of.left_out))
    yield Pairs(
        "Conventions",
        (
            ("hyperparameters", ", ".join(of.hyperparameters) or None),
            ("effective pairs that an environment needs", of.least_effective),
        ),
    )


def _first(of: Ranking) -> str:
    more = len(of.measures) - _DRAWN
    return f"; the first {_DRAWN} of {len(of.measures)}" if more > 0 else ""


def _row(one: Measure) -> list[Cell]:
    return [
        one.name,
        "+" if one.direction > 0 else "-",
        ", ".join(one.same),
        one.nets,
        one.kendall,
        one.kendall_p,
        one.spearman,
        one.granulated,
        one.information,
        one.environments,
        one.sign_error,
        one.sign_error_90,
        one.sign_error_worst,
    ]
