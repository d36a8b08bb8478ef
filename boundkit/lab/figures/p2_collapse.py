"""P2, figures 3 to 8: measures of neural collapse over the epochs.

Han, Papyan, Donoho (2022), appendix A; figures 2 to 7 of Papyan, Han, Donoho (2020) for
nets trained with the square loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.beyond_noise import shown
from boundkit.lab.figures.han2022_courses import NC1, NEEDS, course, panels
from boundkit.lab.figures.han2022_runs import (
    DEPARTURES,
    NETS,
    first_perfect,
    recipe_of,
    square_only,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.lab.runs import Run

__all__ = ["P2_COLLAPSE"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One figure: what is drawn, and what the paper says of it."""

    number: int
    title: str
    claim: str
    label: str
    lines: Mapping[str, str]


#: Of nets trained with the square loss, on their training samples.
_KINDS = (
    _Kind(
        3,
        "equinorm class means and classifiers",
        "class means and classifiers approach equal norms",
        "std / mean of norms over classes",
        {"class means": "nc2_equinorm_means", "classifiers": "nc2_equinorm_weights"},
    ),
    _Kind(
        4,
        "equiangular class means and classifiers",
        "class means and classifiers approach equal angles",
        "std of cosines over pairs",
        {"class means": "nc2_equiangle_means", "classifiers": "nc2_equiangle_weights"},
    ),
    _Kind(
        5,
        "maximal angles of class means and classifiers",
        "the angles approach the largest possible ones, cosine -1/(C - 1)",
        "mean |cosine + 1/(C - 1)|",
        {"class means": "nc2_max_angle_means", "classifiers": "nc2_max_angle_weights"},
    ),
    _Kind(
        6,
        "self-duality of classifiers and class means",
        "classifiers approach the class means up to scale",
        "|| W/||W|| - M/||M|| ||_F",
        {"distance": "nc3_frobenius"},
    ),
    _Kind(
        7,
        "variability within classes",
        "features collapse to their class means",
        "tr(Sigma_W Sigma_B^+) / C",
        {"NC1": NC1},
    ),
    _Kind(
        8,
        "decisions by the nearest class mean",
        "decisions become those by the nearest class mean",
        "share of samples decided otherwise",
        {"mismatch": "nc4_mismatch"},
    ),
)


def _measure(bench: Bench, *, kind: _Kind) -> Outcome:
    series, claims, rows = {}, [], []
    for net in NETS:
        run = bench.runs[recipe_of(bench.scale, net, "square")]
        lines = course(bench, net, "square", kind.lines)
        series[net] = lines
        rows += _table(net, lines, run)
        claims += [
            _approaches(f"{net}: {kind.claim} ({label})", lines, label, run)
            for label in kind.lines
        ]
    notes = DEPARTURES[bench.scale]
    return Outcome(tuple(claims), {"main": tuple(rows)}, series, notes)


def _table(name: str, lines: Mapping[str, list[Any]], run: Run) -> list[dict[str, Any]]:
    errors = run.column("train_error")
    return [
        {"net": name, "train_error": errors[at]}
        | {label: values[at] for label, values in lines.items()}
        for at in range(len(errors))
    ]


def _approaches(
    claim: str, lines: Mapping[str, list[Any]], label: str, run: Run
) -> Claimed:
    """Judge whether a measure falls between the first epoch without errors and the end."""
    perfect = first_perfect(run)
    epochs, values = lines["epoch"], lines[label]
    if perfect is None or perfect == epochs[-1]:
        reason = "no recorded epoch lies behind the first without a training error"
        return Claimed(
            claim, f"{shown(values[0])} -> {shown(values[-1])}", None, reason
        )
    before, end = values[epochs.index(perfect)], values[-1]
    measured = (
        f"{shown(values[0])} (epoch 0), {shown(before)} (epoch {perfect}, no training"
        f" error), {shown(end)} (epoch {epochs[-1]})"
    )
    if before is None or end is None:
        return Claimed(claim, measured, None, "the measure is not defined there")
    holds = end < before or before == end == 0
    reason = "" if holds else "it does not fall after the training error has vanished"
    return Claimed(claim, measured, holds, reason)


P2_COLLAPSE = tuple(
    PaperFigure(
        name=f"p2-fig{kind.number}",
        paper="P2",
        title=kind.title,
        claims=(kind.claim,),
        needs=NEEDS,
        minutes=3.3,
        recipes=square_only,
        measure=partial(_measure, kind=kind),
        draw=partial(
            panels,
            title=f"{kind.title.capitalize()}, square loss",
            about=f"P2, figure {kind.number}",
            label=kind.label,
        ),
    )
    for kind in _KINDS
)
