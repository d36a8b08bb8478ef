"""Certificates below 1: nets trained for their bound, not a figure of a paper."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Claimed, Outcome, PaperFigure
from boundkit.plot.sheet import BLUE, GRAY, GREEN, ORANGE, sheet, ticks_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundkit.lab.exhibit import Bench
    from boundkit.lab.headline.plans import Plan
    from boundkit.lab.recipe import Recipe
    from boundkit.report.model import Report

__all__ = ["HEADLINE"]

#: Nets at scale small: one of each kind; at scale paper all of them.
_SMALL = ("0v9_leaky", "0v9_relu", "3v8_relu", "0v9_batch_norm", "0v9_residual")
_TEST = ("0v9_linear",)
_PARTS = ("margin_loss", "complexity", "confidence")
_BESIDE = ("dense", "toeplitz", "bartlett2017", "galanti2023", "holdout")


def _recipes(_scale: str) -> tuple[Recipe, ...]:
    return ()


def _plans(scale: str) -> tuple[Plan, ...]:
    from boundkit.lab.headline.plans import RUNS

    wanted = {"small": _SMALL, "test": _TEST}.get(scale)
    chosen = [plan for plan in RUNS if wanted is None or plan.name in wanted]
    # Too few images to hold a bound below 1 at, but all of the way is gone.
    return tuple(replace(p, epochs=1) if scale == "test" else p for p in chosen)


def _measure(bench: Bench) -> Outcome:
    import torch

    from boundkit.lab.headline.trained import certified, train_one

    out = bench.folder / "work" / "headline" / bench.images.digest[:16] / bench.scale
    out.mkdir(parents=True, exist_ok=True)
    plans = _plans(bench.scale)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for done, plan in enumerate(plans):
            if bench.progress is not None:
                bench.progress(done, len(plans), f"headline: {plan.name}")
            if not (out / f"{plan.name}.pt").is_file():
                train_one(plan, bench.images, out, 20 if bench.scale == "test" else 200)
    finally:
        torch.set_num_threads(threads)
    rows = tuple(_row(plan, certified(plan, out)) for plan in plans)
    return Outcome(
        claims=tuple(_claimed(row) for row in rows),
        tables={"main": rows},
        series={"rows": list(rows)},
        notes=_NOTES,
    )


_CONFIDENCE = (
    "each number holds with probability 1 - 0.05 / 15: fifteen architectures were tried on"
    " these data, and each has an equal share"
)
_OBJECTIVE = (
    "the objective of training is the bound itself; test data are looked at only for the"
    " test error and the holdout bound"
)
_NOTES = (
    "a claim of this project's own theorem (boundkit explain sparse_cnn), not of a paper",
    _CONFIDENCE,
    _OBJECTIVE,
)


def _row(plan: Plan, report: Report) -> dict[str, Any]:
    lead = report.certificates["sparse_cnn"]
    terms = lead.terms
    beside = {name: report.certificates[name].value for name in _BESIDE}
    return {
        "net": plan.name,
        "n": report.conventions["n"],
        "parameters": report.checkpoint.parameters,
        "test_error": report.certificates["holdout"].terms.get("test_error"),
        "status": lead.status,
        "bound": lead.value,
        **{name: terms.get(name) for name in _PARTS},
        "target": plan.target,
        **beside,
    }


def _claimed(row: dict[str, Any]) -> Claimed:
    target = 1.0 if row["target"] is None else row["target"]
    value, sound = row["bound"], row["status"] == "valid"
    return Claimed(
        f"{row['net']}: the certified test error is at most {target:g}, with every"
        " assumption checked",
        f"bound {'none' if value is None else f'{value:.3g}'} ({row['status']}), test error"
        f" {row['test_error']:.3g}",
        sound and value is not None and value <= target,
        "" if sound else f"the certificate is {row['status']}",
    )


def _draw(outcome: Outcome) -> Figure:
    rows = [row for row in outcome.series["rows"] if row["bound"] is not None]
    figure, (axis,) = sheet(8, 3.6, "What bounds certify, and the test error", "")
    places = range(len(rows))
    below = [0.0] * len(rows)
    for name, color in zip(_PARTS, (GREEN, BLUE, GRAY), strict=True):
        heights = [float(row[name]) for row in rows]
        label = name.replace("_", " ")
        axis.bar(places, heights, 0.5, bottom=below, color=color, label=label)
        below = [b + h for b, h in zip(below, heights, strict=True)]
    errors = [row["test_error"] for row in rows]
    axis.plot(places, errors, "o", color=ORANGE, label="test error")
    axis.axhline(1, color=GRAY, linewidth=0.8, linestyle=":")
    axis.set_ylabel("error")
    ticks_of(axis, [row["net"] for row in rows])
    axis.legend(fontsize=7, frameon=False)
    return figure


HEADLINE = PaperFigure(
    name="headline",
    paper="-",
    title="certificates below 1 of nets trained for their bound",
    claims=("every assumption is checked and the bound is below its target",),
    needs="Fashion-MNIST, or other gray images of 28 x 28 bytes",
    minutes=1.5,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
