"""P4, figure 2: gradient descent on the unconstrained layer-peeled model.

Ji, Lu, Zhang, Deng, Su (2022), appendix D: K = 5 classes of N = 10 samples in d = 20
dimensions, learning rate 5, 100,000 steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.lab.dynamics.layer_peeled import run_ulpm
from boundkit.lab.exhibit import Bench, Claimed, Outcome, PaperFigure
from boundkit.lab.figures.ji2022_metrics import METRICS, decreases, metrics_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundkit.lab.dynamics.simulation import Simulation
    from boundkit.lab.recipe import Recipe

__all__ = ["P4_FIG2"]

_STEPS = {"small": 100_000, "paper": 100_000, "test": 300}
_MEAN = (
    "the paper's (2.3) sums the loss over samples, and a rate of 5 makes that diverge; its"
    " rate fits the mean over samples, which is descended here"
)
_START = (
    "the start is random with deviation 0.1, which the paper leaves open; it is the same as"
    " that of boundkit simulate ulpm"
)
_TEST = "few steps, to see that all of it runs; nothing can be concluded"


def _recipes(_scale: str) -> tuple[Recipe, ...]:
    return ()


def _measure(bench: Bench) -> Outcome:
    found = run_ulpm(
        classes=5,
        per_class=10,
        width=20,
        learning_rate=5.0,
        steps=_STEPS[bench.scale],
        progress=bench.progress,
    )
    table = found.table()
    steps = [int(step) for step in table.column("step")]
    lines: dict[str, list[Any]] = {"step": steps}
    lines |= {name: table.column(name).tolist() for name in METRICS}
    rows = tuple(
        {name: values[at] for name, values in lines.items()} for at in range(len(steps))
    )
    return Outcome(
        claims=(
            *(decreases(name, steps, lines[name], "step") for name in METRICS),
            _rate(found),
        ),
        tables={"main": rows},
        series=lines,
        notes=(_MEAN, _START, *((_TEST,) if bench.scale == "test" else ())),
        undefined=() if found.stopped is None else (found.stopped,),
    )


def _rate(found: Simulation) -> Claimed:
    claim = "all four quantities decrease at approximately the rate O(1 / log t)"
    checks = [check for check in found.checks if check.name == "rate"]
    if not checks:
        return Claimed(
            claim, "no rate to fit", None, found.stopped or "the run is short"
        )
    (check,) = checks
    if check.found is None:
        return Claimed(claim, "no rate to fit", None, check.reason)
    measured = (
        "exponents of log t from half of log t on, -1 by the claim; within"
        f" {check.tolerance:g} counts: {check.reason}"
    )
    reason = "" if check.holds else f"the farthest exponent is {check.found:.2f}"
    return Claimed(claim, measured, check.holds, reason)


def _draw(outcome: Outcome) -> Figure:
    return metrics_figure(
        outcome.series, "step", "Unconstrained layer-peeled model", "P4, figure 2"
    )


P4_FIG2 = PaperFigure(
    name="p4-fig2",
    paper="P4",
    title="gradient descent on the unconstrained layer-peeled model",
    claims=("all four metrics of neural collapse decrease, about as 1 / log t",),
    needs="no data",
    minutes=0.1,
    recipes=_recipes,
    measure=_measure,
    draw=_draw,
)
