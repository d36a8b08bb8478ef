"""``simulate ulpm``: gradient descent and flow of the layer-peeled model; P4."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import UsageError
from boundkit.lab.dynamics.layer_peeled_charts import charts
from boundkit.lab.dynamics.layer_peeled_checks import checks
from boundkit.lab.dynamics.layer_peeled_escape import saddle_checks
from boundkit.lab.dynamics.layer_peeled_paths import REDUCTIONS, Model, random_point
from boundkit.lab.dynamics.layer_peeled_rows import Path, Start
from boundkit.lab.dynamics.layer_peeled_saddle import Saddle, saddle_of
from boundkit.lab.dynamics.layer_peeled_walks import Walk
from boundkit.lab.dynamics.settings import above_zero, not_below_zero, one_of, whole
from boundkit.lab.dynamics.simulation import Column, Simulation, System, Table

if TYPE_CHECKING:
    from boundkit.lab.dynamics.checks import Check
    from boundkit.lab.dynamics.layer_peeled_paths import Reduction
    from boundkit.lab.dynamics.simulation import Progress

__all__ = ["ULPM", "run_ulpm"]

_TITLE = "classifier and features, both free, under cross-entropy"
_METHODS = ("descent", "flow")
_STARTS = ("random", "saddle")
#: Scale of a start by default.
_SCALES = {"random": 0.1, "saddle": 1.0}
_QUARTER = pi / 2
_FAINT, _LOUD = 1e-6, 30.0
#: The latest time of gradient flow: floats end at 1.8e308.
_LATEST = 1e300


def run_ulpm(
    *,
    classes: int = 5,
    per_class: int = 10,
    width: int = 20,
    method: str = "descent",
    learning_rate: float = 5.0,
    steps: int = 100_000,
    reduction: str = "mean",
    time: float = 1e30,
    start: str = "random",
    scale: float | None = None,
    offset: float = 0.1,
    seed: int = 0,
    solver: str = "DOP853",
    rtol: float = 1e-9,
    atol: float = 1e-12,
    points: int = 120,
    progress: Progress | None = None,
) -> Simulation:
    """Simulate P4 eq. (2.3), and hold it against P4's theorems.

    Args:
        classes: K.
        per_class: n, samples of each class.
        width: d, dimensions of the features.
        method: ``"descent"`` in steps, or ``"flow"``, the limit of small ones.
        learning_rate: Of descent.
        steps: Of descent.
        reduction: ``"mean"`` over samples or ``"sum"``: of the loss that is descended.
        time: Of the flow, in all.
        start: ``"random"``, or ``"saddle"`` for P4 Example 3.1.
        scale: Standard deviation of a random start, by default 0.1; or what the saddle
            is multiplied by, by default 1.
        offset: Angle in radians by which a start is turned from the saddle.
        seed: Of a random start.
        solver: Of the flow, one of ``solving.SOLVERS``.
        rtol: Relative tolerance of a step of the flow.
        atol: Absolute tolerance of a step of the flow.
        points: Steps or times that are watched, at most.
        progress: Told of what is done.

    Raises:
        UsageError: A setting is out of range, or does not fit the others.
    """
    settings = {name: value for name, value in locals().items() if name != "progress"}
    model = _model(
        classes, per_class, width, one_of("reduction", reduction, REDUCTIONS)
    )
    _require_walk(method, learning_rate, steps, time, points)
    if scale is None:
        scale = _SCALES[one_of("start", start, _STARTS)]
    saddle = _saddle(model, start, _scaled(scale), offset)
    begin = (
        saddle.begin if saddle else random_point(model, scale, whole("seed", seed, 0))
    )
    walk = Walk(model, begin, Start.of(begin, saddle), points)
    if method == "descent":
        path, stopped = walk.descend(learning_rate, steps, progress)
    else:
        path, stopped = walk.flow(time, solver, rtol, atol, progress)
    done = len(path.ticks) > 2
    return Simulation(
        system="ulpm",
        title=_TITLE,
        settings=settings | {"scale": scale},
        tables=_tables(path),
        checks=_checks(path, model, scale, stopped) if done else (),
        charts=charts(path, classes) if done else (),
        summary=_summary(path),
        notes=_notes(model, path, stopped),
        stopped=stopped,
    )


def _model(classes: int, per_class: int, width: int, reduction: Reduction) -> Model:
    """Return the model, where a simplex fits.

    Raises:
        UsageError: There are too few dimensions.
    """
    whole("classes", classes, 2)
    whole("per_class", per_class, 1)
    whole("width", width, 1)
    if width < classes - 1:
        raise UsageError(
            f"width must be at least classes - 1 = {classes - 1}, but got {width}; fewer"
            f" dimensions hold no simplex of {classes} classes"
        )
    return Model(classes, per_class, width, reduction)


def _require_walk(
    method: str, learning_rate: float, steps: int, time: float, points: int
) -> None:
    """Refuse what cannot be walked.

    Raises:
        UsageError: A setting is out of range.
    """
    one_of("method", method, _METHODS)
    above_zero("learning_rate", learning_rate)
    whole("steps", steps, 10)
    whole("points", points, 12)
    if above_zero("time", time) > _LATEST:
        raise UsageError(f"time must be at most {_LATEST:g}, but got {time}")


def _scaled(scale: float) -> float:
    """Return a scale of a start from which there is something to learn.

    Raises:
        UsageError: It is out of range.
    """
    if not _FAINT <= above_zero("scale", scale) <= _LOUD:
        raise UsageError(
            f"scale must be between {_FAINT:g} and {_LOUD:g}, but got {scale:g}; smaller"
            " starts hardly move, and larger ones begin with losses of thousands"
        )
    return scale


def _saddle(model: Model, start: str, scale: float, offset: float) -> Saddle | None:
    """Return the saddle that a run starts from; None for a random start.

    Raises:
        UsageError: The model has none, or the offset is out of range.
    """
    if not_below_zero("offset", offset) >= _QUARTER:
        raise UsageError(f"offset must be below pi/2 in radians, but got {offset}")
    if start == "random":
        return None
    if model.classes < 4 or model.classes % 2:
        raise UsageError(
            "start saddle needs an even number of classes, at least 4, but got"
            f" {model.classes}"
        )
    if model.width < model.classes:
        raise UsageError(
            f"start saddle needs a width of at least classes = {model.classes}, as P4"
            f" Theorem 3.4 does, but got {model.width}"
        )
    return saddle_of(model, scale, offset)


def _checks(
    path: Path, model: Model, scale: float, stopped: str | None
) -> tuple[Check, ...]:
    return (*saddle_checks(path, model, scale), *checks(path, ended=stopped is None))


def _tables(path: Path) -> tuple[Table, ...]:
    if path.saddle is None:
        return (path.table(),)
    angles, losses = path.saddle.circle.T
    circle = Table(
        "circle",
        (
            Column("angle", "rad", "from the saddle along the way out", angles),
            Column("loss", "1", "summed, at the norm of the saddle", losses),
        ),
    )
    return path.table(), circle


def _summary(path: Path) -> dict[str, float | int | str | None]:
    named = path.named
    separated = np.flatnonzero(named["loss"] < np.log(2))
    ticks = [float(each) if path.is_flow else int(each) for each in path.ticks]
    first = ticks[separated[0]] if len(separated) else None
    return {
        "time" if path.is_flow else "steps": ticks[-1],
        "loss at the start": float(named["loss"][0]),
        "loss at the end": float(named["loss"][-1]),
        "margin over its bound at the end": float(named["margin_efficiency"][-1]),
        f"summed loss below log 2 from {path.clock[0]}": first,
    }


def _notes(model: Model, path: Path, stopped: str | None) -> tuple[str, ...]:
    notes = []
    if stopped is not None and model.reduction == "sum":
        notes.append(
            "A learning rate for the summed loss is that for the mean over"
            f" {model.classes * model.per_class} samples; P4's rate of 5 fits the mean."
        )
    if model.width < model.classes:
        notes.append(
            f"P4 Theorem 3.4 needs width >= classes = {model.classes}: with {model.width}"
            " dimensions a simplex fits, but a way out of every saddle is not assured."
        )
    if path.saddle is not None:
        notes.append(
            "Off the saddle's ray the angle grows about as (log t)^(1/(K-2)): gradient"
            " flow leaves it, but a small offset needs a time that is exponential in a"
            " power of 1 / offset."
        )
    return tuple(notes)


ULPM = System(
    "ulpm",
    _TITLE,
    "P4 eq. (2.3), Theorems 3.1 to 3.4, Lemma B.1, Example 3.1, figure 2",
    run_ulpm,
)
