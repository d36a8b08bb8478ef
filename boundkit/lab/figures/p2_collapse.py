"""P2, figures 3 to 8, 10 and 12: measures of neural collapse over the epochs.

Han, Papyan, Donoho (2022), appendix A; figures 2 to 7 of Papyan, Han, Donoho (2020) for
nets trained with the square loss, beside cross-entropy, and on test data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.han2022_runs import (
    DEPARTURES,
    LOSSES,
    NAMES,
    NETS,
    every,
    first_perfect,
    recipe_of,
    square_only,
)
from boundkit.lab.measuring import collapse_of
from boundkit.plot.sheet import BLUE, GREEN, ORANGE, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from boundkit.lab.recipe import Loss
    from boundkit.lab.runs import Run

__all__ = ["P2_COLLAPSE"]

_SAME = (
    "the paper compares with cross-entropy nets of another paper; here both losses train"
    " the same nets for the same epochs"
)
_NC1 = "nc1_pinv_per_class"
_COLORS = (BLUE, ORANGE, GREEN, "#CC79A7")


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
        {"NC1": _NC1},
    ),
    _Kind(
        8,
        "decisions by the nearest class mean",
        "decisions become those by the nearest class mean",
        "share of samples decided otherwise",
        {"mismatch": "nc4_mismatch"},
    ),
)


def _course(
    bench: Bench, net: str, loss: Loss, names: Mapping[str, str], part: str = "train"
) -> dict[str, list[Any]]:
    """Return measures over the recorded epochs of a run."""
    recipe = recipe_of(bench.scale, net, loss)
    epochs = bench.runs[recipe].epochs
    found = [collapse_of(bench, recipe, epoch, part) for epoch in epochs]
    lines: dict[str, list[Any]] = {"epoch": list(epochs)}
    return lines | {
        label: [one[name] for one in found] for label, name in names.items()
    }


def _measure_kind(bench: Bench, *, kind: _Kind) -> Outcome:
    series, claims, rows = {}, [], []
    for net in NETS:
        run = bench.runs[recipe_of(bench.scale, net, "square")]
        lines = _course(bench, net, "square", kind.lines)
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
            claim, f"{_shown(values[0])} -> {_shown(values[-1])}", None, reason
        )
    before, end = values[epochs.index(perfect)], values[-1]
    measured = (
        f"{_shown(values[0])} (epoch 0), {_shown(before)} (epoch {perfect}, no training"
        f" error), {_shown(end)} (epoch {epochs[-1]})"
    )
    if before is None or end is None:
        return Claimed(claim, measured, None, "the measure is not defined there")
    holds = end < before or before == end == 0
    reason = "" if holds else "it does not fall after the training error has vanished"
    return Claimed(claim, measured, holds, reason)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3g}"


def _draw_kind(outcome: Outcome, *, kind: _Kind) -> Figure:
    names = list(outcome.series)
    title, about = kind.title.capitalize(), f"P2, figure {kind.number}"
    figure, axes = sheet(9, 3.4, title, about, 1, len(names))
    for axis, name in zip(axes, names, strict=True):
        _plot(axis, outcome.series[name])
        axis.set_title(f"{name}, square loss", fontsize=9)
    axes[0].set_ylabel(kind.label)
    axes[0].legend(fontsize=8, frameon=False)
    return figure


def _plot(axis: Any, lines: Mapping[str, list[Any]]) -> None:
    for color, label in zip(_COLORS, (x for x in lines if x != "epoch"), strict=False):
        axis.plot(lines["epoch"], lines[label], color=color, label=label)
    drawn = [v for label in lines if label != "epoch" for v in lines[label] if v]
    # A mismatch of exactly zero has no logarithm.
    axis.set_yscale("log" if drawn and min(drawn) > 0 else "linear")
    axis.set_xlabel("epoch")


def _measure_losses(bench: Bench) -> Outcome:
    series: dict[str, dict[str, Any]] = {}
    for net in NETS:
        lines: dict[str, Any] = {}
        for loss in LOSSES:
            found = _course(bench, net, loss, {NAMES[loss]: _NC1})
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
        f"{net} {_shown(square)} (square loss), {_shown(other)} (cross-entropy)"
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
                lines |= _course(bench, net, loss, {label: _NC1}, part)
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
        f"NC1 {_shown(starts[1])} -> {_shown(test[-1])} on test data,"
        f" {_shown(starts[0])} -> {_shown(train[-1])} on training data"
    )
    if None in {train[-1], test[-1], starts[1]}:
        return Claimed(claim, measured, None, "the measure is not defined there")
    holds = train[-1] < test[-1] < starts[1]
    reason = "" if holds else "it does not fall, or falls as far as on training data"
    return Claimed(claim, measured, holds, reason)


def _draw_pairs(outcome: Outcome, *, title: str, about: str) -> Figure:
    names = list(outcome.series)
    figure, axes = sheet(9, 3.4, title, about, 1, len(names))
    for axis, name in zip(axes, names, strict=True):
        _plot(axis, outcome.series[name])
        axis.set_title(name, fontsize=9)
    axes[0].set_ylabel("tr(Sigma_W Sigma_B^+) / C")
    axes[0].legend(fontsize=8, frameon=False)
    return figure


_NEEDS = "Fashion-MNIST or other images of ten classes"

P2_COLLAPSE = (
    *(
        PaperFigure(
            name=f"p2-fig{kind.number}",
            paper="P2",
            title=kind.title,
            claims=(kind.claim,),
            needs=_NEEDS,
            minutes=3.3,
            recipes=square_only,
            measure=partial(_measure_kind, kind=kind),
            draw=partial(_draw_kind, kind=kind),
        )
        for kind in _KINDS
    ),
    PaperFigure(
        name="p2-fig10",
        paper="P2",
        title="collapse with the square loss and with cross-entropy",
        claims=("the square loss tends to collapse features faster",),
        needs=_NEEDS,
        minutes=6.6,
        recipes=every,
        measure=_measure_losses,
        draw=partial(
            _draw_pairs,
            title="Collapse with the square loss and with cross-entropy",
            about="P2, figure 10",
        ),
    ),
    PaperFigure(
        name="p2-fig12",
        paper="P2",
        title="collapse on test data",
        claims=("features collapse on test data, too, but more slowly",),
        needs=_NEEDS,
        minutes=7.4,
        recipes=every,
        measure=_measure_test,
        draw=partial(_draw_pairs, title="Collapse on test data", about="P2, figure 12"),
    ),
)
