"""Walks down the loss of the layer-peeled model, watched on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.layer_peeled_paths import descended
from boundkit.lab.dynamics.layer_peeled_rows import path_of, watched
from boundkit.lab.dynamics.solving import solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.lab.dynamics.layer_peeled_paths import Model, Point
    from boundkit.lab.dynamics.layer_peeled_rows import Path, Start
    from boundkit.lab.dynamics.simulation import Progress

    Numbers = NDArray[np.float64]

__all__ = ["Walk"]

#: Times the norm of the start, or 1, past which a path does not learn but diverges: as it
#: learns, the norm grows as the root of log t.
_FAR = 1e6
#: Evaluations of the slope at most; a run to the latest time takes some thousands.
_MOST = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Where a walk begins, and how often it is watched.

    Attributes:
        model: Whose loss is walked down.
        begin: The first point.
        start: What the path is held against.
        points: Rows at most.
    """

    model: Model
    begin: Point
    start: Start
    points: int

    def descend(
        self, learning_rate: float, steps: int, progress: Progress | None
    ) -> tuple[Path, str | None]:
        """Take steps of gradient descent.

        Args:
            learning_rate: Of every step.
            steps: In all.
            progress: Told of the steps.

        Returns:
            The path, and why it ended early, or None.
        """
        stops = _stops(steps, self.points)
        rows: list[Numbers] = []
        far = _FAR * max(self.begin.radius, 1.0)
        walked = descended(self.model, self.begin, learning_rate, stops, progress)
        for _, point in walked:
            if point.radius > far:
                break
            rows.append(watched(self.model, point, self.start))
        stopped = None
        if len(rows) < len(stops):
            stopped = (
                f"between steps {stops[len(rows) - 1]:,} and {stops[len(rows)]:,}:"
                f" weights and features diverge at learning rate {learning_rate:g};"
                " choose a smaller one"
            )
        ticks = stops[: len(rows)].astype(np.float64)
        logs = np.log1p(ticks)
        return self._path(("step", "1", "step"), ticks, logs, np.stack(rows)), stopped

    def flow(
        self,
        time: float,
        solver: str,
        rtol: float,
        atol: float,
        progress: Progress | None,
    ) -> tuple[Path, str | None]:
        """Follow the gradient flow.

        Args:
            time: In all.
            solver: One of ``solving.SOLVERS``.
            rtol: Relative tolerance of a step.
            atol: Absolute tolerance of a step.
            progress: Told of the times that were reached.

        Returns:
            The path, and why it ended early, or None.
        """

        def watch(log: float, state: Numbers) -> Numbers:
            del log
            return watched(self.model, self.model.point(state), self.start)

        solution = solve(
            self.model.slope(),
            self.begin.flat,
            _clocks(float(np.log1p(time)), self.points),
            solver=solver,
            rtol=rtol,
            atol=atol,
            watch=watch,
            most=_MOST,
            progress=progress,
            what="gradient flow",
        )
        ticks, clock = np.expm1(solution.times), ("time", "1", "time of the flow")
        path = self._path(clock, ticks, solution.times, solution.rows)
        stopped = solution.stopped
        # The solver's clock is logarithmic.
        return path, stopped and stopped.replace("at time", "at log(1 + t) =", 1)

    def _path(
        self, clock: tuple[str, str, str], ticks: Numbers, logs: Numbers, rows: Numbers
    ) -> Path:
        return path_of(clock, ticks, logs, rows, self.start.saddle)


def _stops(steps: int, points: int) -> NDArray[np.int64]:
    """Return 0 and about as many counts, evenly spread in their logarithm."""
    spread = np.geomspace(1, steps, points - 1).round().astype(np.int64)
    return np.unique(np.concatenate([[0], spread]))


def _clocks(last: float, points: int) -> Numbers:
    """Return 0 and values up to ``last``, half of them evenly spread, half by factors.

    Most happens early, and the approach to the limits late.
    """
    evenly = np.linspace(0, last, points // 2)
    by_factors = np.geomspace(min(0.1, last / 100), last, points - len(evenly) + 1)
    return np.unique(np.concatenate([evenly, by_factors[:-1]]))
