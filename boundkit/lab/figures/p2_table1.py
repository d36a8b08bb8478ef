"""P2, table 1: test accuracy when the training error vanishes, and at the end.

Han, Papyan, Donoho (2022), appendix A.
"""

from __future__ import annotations

from functools import partial
from itertools import starmap
from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.han2022_courses import NEEDS, panels
from boundkit.lab.figures.han2022_runs import (
    DEPARTURES,
    NETS,
    first_perfect,
    recipe_of,
    square_only,
)
from boundkit.plot.sheet import BLUE, GRAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from boundkit.lab.runs import Run

__all__ = ["P2_TABLE1"]


def _measure(bench: Bench) -> Outcome:
    runs = {net: bench.runs[recipe_of(bench.scale, net, "square")] for net in NETS}
    n_test = recipe_of(bench.scale, NETS[0], "square").n_test
    rows = tuple(starmap(_row, runs.items()))
    return Outcome(
        claims=(_improves(rows, n_test),),
        tables={"main": rows},
        series={
            net: {
                "epoch": list(run.epochs),
                "test accuracy": [_accuracy(e) for e in run.column("test_error")],
                "first": first_perfect(run),
            }
            for net, run in runs.items()
        },
        notes=(
            *DEPARTURES[bench.scale],
            "the epoch without a training error is the first recorded one",
        ),
    )


def _accuracy(error: float | None) -> float | None:
    return None if error is None else 100 * (1 - error)


def _row(net: str, run: Run) -> dict[str, Any]:
    first = first_perfect(run)
    errors = dict(zip(run.epochs, run.column("test_error"), strict=True))
    return {
        "net": net,
        "epoch_0_error": first,
        "accuracy_0_error": None if first is None else _accuracy(errors[first]),
        "accuracy_final": _accuracy(run.last["test_error"]),
        "train_error_final": run.last["train_error"],
    }


def _improves(rows: tuple[dict[str, Any], ...], n_test: int) -> Claimed:
    claim = (
        "test accuracy goes on improving after the training error has vanished (median"
        " of 15 nets: 0.96 points)"
    )
    known = [row for row in rows if row["accuracy_0_error"] is not None]
    if not known:
        measured = ", ".join(
            f"{row['net']} {row['accuracy_final']:.2f} %" for row in rows
        )
        return Claimed(claim, measured, None, "no net reached zero training error")
    gains = [row["accuracy_final"] - row["accuracy_0_error"] for row in known]
    measured = ", ".join(
        f"{row['net']} {row['accuracy_0_error']:.2f} -> {row['accuracy_final']:.2f} %"
        for row in known
    )
    mean = sum(gains) / len(gains)
    # Of the difference of two shares of the same test samples, at worst.
    noise = 100 * (0.5 / n_test / len(known)) ** 0.5
    if abs(mean) < 2 * noise:
        reason = (
            f"a mean gain of {mean:+.2f} points is less than two standard errors of at"
            f" most {noise:.2f}"
        )
        return Claimed(claim, measured, None, reason)
    reason = "" if mean > 0 else f"the mean gain is {mean:+.2f} points"
    return Claimed(claim, measured, mean > 0, reason)


def _panel(axis: Axes, lines: Mapping[str, Any]) -> None:
    axis.plot(lines["epoch"], lines["test accuracy"], color=BLUE, label="test accuracy")
    if lines["first"] is not None:
        label = "first epoch without a training error"
        axis.axvline(
            lines["first"], color=GRAY, linestyle="--", linewidth=1, label=label
        )


P2_TABLE1 = PaperFigure(
    name="p2-table1",
    paper="P2",
    title="test accuracy when the training error vanishes, and at the end",
    claims=("training beyond zero error improves test accuracy",),
    needs=NEEDS,
    minutes=3.1,
    recipes=square_only,
    measure=_measure,
    draw=partial(
        panels,
        title="Test accuracy and the end of errors",
        about="P2, table 1",
        label="test accuracy, %",
        draw=_panel,
    ),
)
