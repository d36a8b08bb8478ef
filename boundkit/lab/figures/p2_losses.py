"""P2, figures 10 and 12: collapse with either loss, and on test data.

Han, Papyan, Donoho (2022), appendix A; figure 6 of Papyan, Han, Donoho (2020).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.beyond_noise import shown
from boundkit.lab.figures.han2022_courses import NC1, NEEDS, course, panels
from boundkit.lab.figures.han2022_runs import (
    DEPARTURES,
    LOSSES,
    NAMES,
    NETS,
    every,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["P2_LOSSES"]

_SAME = (
    "the paper compares with cross-entropy nets of another paper; here both losses train"
    " the same nets for the same epochs"
)
_LABEL = "tr(Sigma_W Sigma_B^+) / C"


def _measure_losses(bench: Bench) -> Outcome:
    series: dict[str, dict[str, Any]] = {}
    for net in NETS:
        lines: dict[str, Any] = {}
        for loss in LOSSES:
            found = course(bench, net, loss, {NAMES[loss]: NC1})
            lines |= found
        series[net] = lines
    ends = {
        net: tuple(lines[NAMES[loss]][-1] for loss in LOSSES)
        for net, lines in series.items()
    }
    rows = tuple(
        {"net": net, "epoch": epoch, **{NAMES[x]: lines[NAMES[x]][at] for x in LOSSES}}
        for net, lines in series.items()
        for at, epoch in enumerate(lines["epoch"])
    )
    notes = (
        *DEPARTURES[bench.scale],
        _SAME,
    )
    return Outcome((_faster(ends),), {"main": rows}, series, notes)


def _faster(ends: Mapping[str, tuple[float | None, ...]]) -> Claimed:
    claim = (
        "nets trained with the square loss tend to collapse faster than those trained"
        " with cross-entropy"
    )
    measured = "NC1 at the end: " + ", ".join(
        f"{net} {shown(square)} (square loss), {shown(other)} (cross-entropy)"
        for net, (square, other) in ends.items()
    )
    won = [
        square < other
        for square, other in ends.values()
        if square is not None and other is not None
    ]
    if not won or (any(won) and not all(won)):
        reason = "the nets disagree" if won else "the measure is not defined"
        return Claimed(claim, measured, None, reason)
    reason = "" if won[0] else "cross-entropy collapses further in the same epochs here"
    return Claimed(claim, measured, won[0], reason)


def _measure_test(bench: Bench) -> Outcome:
    series, claims, rows = {}, [], []
    for net in NETS:
        lines: dict[str, list[Any]] = {}
        for loss in LOSSES:
            for part in ("train", "test"):
                label = f"{NAMES[loss]}, {part}"
                lines |= course(bench, net, loss, {label: NC1}, part)
            claims.append(_slower(f"{net}, {NAMES[loss]}", lines, NAMES[loss]))
        series[net] = lines
        rows += [
            {"net": net} | {label: values[at] for label, values in lines.items()}
            for at in range(len(lines["epoch"]))
        ]
    notes = (
        *DEPARTURES[bench.scale],
        "test features are measured about the class means of the test sample itself",
    )
    return Outcome(tuple(claims), {"main": tuple(rows)}, series, notes)


def _slower(who: str, lines: Mapping[str, list[Any]], loss: str) -> Claimed:
    claim = (
        f"{who}: features collapse on test data, too, but more slowly and less than on"
        " training data"
    )
    train, test = (lines[f"{loss}, {part}"] for part in ("train", "test"))
    # Untrained features may have no spread between classes, and no NC1.
    starts = [next((v for v in x if v is not None), None) for x in (train, test)]
    measured = (
        f"NC1 {shown(starts[1])} -> {shown(test[-1])} on test data,"
        f" {shown(starts[0])} -> {shown(train[-1])} on training data"
    )
    if None in {train[-1], test[-1], starts[1]}:
        return Claimed(claim, measured, None, "the measure is not defined there")
    holds = train[-1] < test[-1] < starts[1]
    reason = "" if holds else "it does not fall, or falls as far as on training data"
    return Claimed(claim, measured, holds, reason)


P2_LOSSES = (
    PaperFigure(
        name="p2-fig10",
        paper="P2",
        title="collapse with the square loss and with cross-entropy",
        claims=("the square loss tends to collapse features faster",),
        needs=NEEDS,
        minutes=6.6,
        recipes=every,
        measure=_measure_losses,
        draw=partial(
            panels,
            title="Collapse with the square loss and with cross-entropy",
            about="P2, figure 10",
            label=_LABEL,
        ),
    ),
    PaperFigure(
        name="p2-fig12",
        paper="P2",
        title="collapse on test data",
        claims=("features collapse on test data, too, but more slowly",),
        needs=NEEDS,
        minutes=7.4,
        recipes=every,
        measure=_measure_test,
        draw=partial(
            panels,
            title="Collapse on test data",
            about="P2, figure 12",
            label=_LABEL,
        ),
    ),
)
