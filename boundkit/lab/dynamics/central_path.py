"""``simulate central-path``: neural collapse by renormalized gradient flow; P2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import UsageError
from boundkit.lab.dynamics.central_path_charts import charts
from boundkit.lab.dynamics.central_path_checks import checks
from boundkit.lab.dynamics.central_path_flow import (
    RENORMALIZE,
    Design,
    beginning,
)
from boundkit.lab.dynamics.central_path_rows import Frame, Path, path_of, watched
from boundkit.lab.dynamics.settings import above_zero, one_of, whole
from boundkit.lab.dynamics.simulation import Simulation, System
from boundkit.lab.dynamics.solving import SOLVERS, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.lab.dynamics.simulation import Progress

__all__ = ["CENTRAL_PATH", "run_central_path"]

_TITLE = "continually renormalized gradient flow of features under square loss"
#: Entries of a state up to which solvers that keep a square matrix of it may be used.
_DENSE = 4000
_EXPLICIT = ("RK45", "DOP853")
#: Largest size of class means over that of the noise, or of the noise over theirs.
_SPAN = 1e4


def run_central_path(
    *,
    classes: int = 5,
    per_class: int = 10,
    width: int = 20,
    time: float = 1e9,
    signal: float = 1.0,
    renormalize: str = "project",
    seed: int = 0,
    solver: str = "DOP853",
    rtol: float = 1e-9,
    atol: float = 1e-12,
    points: int = 120,
    progress: Progress | None = None,
) -> Simulation:
    """Simulate P2 eq. (5) on features, and hold it against the closed form.

    Args:
        classes: C.
        per_class: N, samples of each class.
        width: p, dimensions of the features.
        time: Of the flow, in all.
        signal: Root mean square of the signal-to-noise values at the start.
        renormalize: ``"project"`` as P2 eq. (5), or ``"whiten"`` after each step of the
            plain gradient.
        seed: Of the start.
        solver: One of ``solving.SOLVERS``.
        rtol: Relative tolerance of a step.
        atol: Absolute tolerance of a step.
        points: Times that are watched.
        progress: Told of the times that were reached.

    Raises:
        UsageError: A setting is out of range, or does not fit the others.
    """
    settings = {name: value for name, value in locals().items() if name != "progress"}
    design = _design(classes, per_class, width, renormalize)
    _require_resolved(design, above_zero("time", time), above_zero("signal", signal))
    _require_room(design, one_of("solver", solver, SOLVERS))
    start = beginning(design, signal, whole("seed", seed, 0))
    frame = Frame.of(start, design)

    def watch(at: float, state: NDArray[np.float64]) -> NDArray[np.float64]:
        del at
        return watched(design.shaped(state), design, frame)

    solution = solve(
        design.slope,
        start.ravel(),
        _times(time, whole("points", points, 12)),
        solver=solver,
        rtol=rtol,
        atol=atol,
        watch=watch,
        progress=progress,
        what="central path",
    )
    path = path_of(solution, design.law)
    done = len(path.times) > 2
    return Simulation(
        system="central-path",
        title=_TITLE,
        settings=settings,
        tables=(path.table(),),
        checks=checks(path, rtol) if done else (),
        charts=charts(path) if done else (),
        summary=_summary(path) | {"evaluations": solution.evaluations},
        notes=_notes(design),
        stopped=solution.stopped,
    )


def _design(classes: int, per_class: int, width: int, renormalize: str) -> Design:
    """Return the design, where features of full covariance fit a simplex.

    Raises:
        UsageError: There are too few samples or dimensions.
    """
    whole("classes", classes, 2)
    whole("per_class", per_class, 2)
    whole("width", width, 1)
    if width < classes - 1:
        raise UsageError(
            f"width must be at least classes - 1 = {classes - 1}, but got {width}; fewer"
            f" dimensions hold no simplex of {classes} classes"
        )
    if classes * (per_class - 1) < width:
        needed = -(-width // classes) + 1
        raise UsageError(
            f"per_class must be at least {needed} for {classes} classes in {width}"
            f" dimensions, but got {per_class}; with fewer samples the covariance within"
            " classes is singular and cannot be renormalized"
        )
    return Design(
        classes, per_class, width, one_of("renormalize", renormalize, RENORMALIZE)
    )


def _require_resolved(design: Design, time: float, signal: float) -> None:
    """Refuse a run whose noise would drown in its signal, or the other way round.

    Raises:
        UsageError: It would.
    """
    if not 1 / _SPAN <= signal <= _SPAN:
        raise UsageError(
            f"signal must be between {1 / _SPAN:g} and {_SPAN:g}, but got {signal:g};"
            " features have noise of size 1, and double precision must hold both"
        )
    if design.law.asymptote(time) > _SPAN:
        latest = time * (_SPAN / design.law.asymptote(time)) ** design.law.power
        raise UsageError(
            f"time must be at most {latest:.1e} here, but got {time:g}; later, class"
            f" means are {_SPAN:g} times the noise, which double precision does not hold"
        )


def _require_room(design: Design, solver: str) -> None:
    """Refuse a solver whose matrix would be too large.

    Raises:
        UsageError: It would.
    """
    entries = design.width * design.count
    if solver not in _EXPLICIT and entries > _DENSE:
        raise UsageError(
            f"solver {solver} keeps a square matrix of the state, which has"
            f" {entries:,} entries here; choose {' or '.join(_EXPLICIT)}, or fewer"
            " samples"
        )


def _times(time: float, points: int) -> NDArray[np.float64]:
    """Return 0 and logarithmic times up to the end."""
    first = min(1.0, time / 1000)
    return np.concatenate([[0.0], np.geomspace(first, time, points - 1)])


def _summary(path: Path) -> dict[str, float | int | str | None]:
    first, last = path.strength[0], path.strength[-1]
    return {
        "time": float(path.times[-1]),
        "signal-to-noise at the start": f"{first[-1]:.6g} to {first[0]:.6g}",
        "signal-to-noise at the end": f"{last[-1]:.6g} to {last[0]:.6g}",
        "loss at the start": float(path.named["mse.total"][0]),
        "loss at the end": float(path.named["mse.total"][-1]),
    }


def _notes(design: Design) -> tuple[str, ...]:
    law = design.law
    if law.renormalize == "whiten":
        return (
            (
                "Whitening after each step of the plain gradient is not P2 (5), which"
                " projects the gradient: class means are scaled with the noise, so that"
                " dw/dt = w / (N C (C + w^2)) and w grows as (2 t / (N C))^(1/2)."
            ),
        )
    square, plain = law.classes**2 * law.per_class, law.classes * law.per_class
    return (
        (
            f"P2 names c1, c2, c3 without their values: here c1 = N C^2 = {square:,},"
            f" c2 = N C = {plain:,}, c3 = N / 4 = {law.per_class / 4:g}."
        ),
    )


CENTRAL_PATH = System(
    "central-path",
    _TITLE,
    "P2 section 3: eq. (5), (8), Proposition 2 (9), Corollaries 1 and 2",
    run_central_path,
)
