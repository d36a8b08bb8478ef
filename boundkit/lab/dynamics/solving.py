"""Paths of ordinary differential equations, by scipy's solvers with error control."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from boundkit.errors import UsageError
from boundkit.lab.dynamics.settings import above_zero, one_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.integrate import OdeSolver

    from boundkit.lab.dynamics.simulation import Progress

    Numbers = NDArray[np.float64]

__all__ = ["SOLVERS", "Solution", "Solver", "solve"]

Solver = Literal["RK45", "DOP853", "LSODA", "Radau", "BDF"]
#: Explicit ones, the switching one, implicit ones for stiff systems.
SOLVERS: tuple[Solver, ...] = ("RK45", "DOP853", "LSODA", "Radau", "BDF")
#: Relative tolerances below are beyond double precision; scipy would raise them itself.
_FINEST = 100 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A path at the times that were asked for.

    Attributes:
        times: (T,) those that were reached.
        rows: (T, ...) what was watched there.
        end: (d,) the last state.
        evaluations: Of the right-hand side.
        steps: That were accepted.
        stopped: Why not all times were reached, or None.
    """

    times: Numbers
    rows: Numbers
    end: Numbers
    evaluations: int
    steps: int
    stopped: str | None


def solve(
    slope: Callable[[float, Numbers], Numbers],
    start: Numbers,
    times: Numbers,
    *,
    solver: str = "RK45",
    rtol: float = 1e-6,
    atol: float = 1e-9,
    watch: Callable[[float, Numbers], Numbers] | None = None,
    most: int = 1_000_000,
    progress: Progress | None = None,
    what: str = "flow",
) -> Solution:
    """Follow a path from ``times[0]`` to ``times[-1]``.

    A path that leaves the range of floats, or that the solver cannot follow any
    further, ends early and says so; what was watched until then is kept.

    Args:
        slope: (time, (d,) state) -> (d,).
        start: (d,) state at ``times[0]``.
        times: (T,) increasing; the first is the start's.
        solver: One of ``SOLVERS``.
        rtol: Relative tolerance of a step.
        atol: Absolute tolerance of a step.
        watch: (time, state) -> what to keep; by default the state.
        most: Evaluations of the slope at most.
        progress: Told of the times that were reached.
        what: Is followed, for the progress.

    Raises:
        UsageError: The solver is not known, or a tolerance out of range.
    """
    tried = _Trial(slope, most)
    method = _method(tried, start, times, solver, rtol, atol)
    keep = _silent(watch or _copied)
    rows, end, steps = [keep(float(times[0]), start)], start, 0
    stopped = tried.stopped
    while stopped is None and method is not None and method.status == "running":
        stopped = _advance(method, tried)
        if stopped is not None:
            break
        steps, end = steps + 1, method.y
        rows += _passed(method, times, len(rows), keep)
        if progress is not None:
            progress(len(rows), len(times), what)
    return Solution(
        times=np.array(times[: len(rows)], np.float64),
        rows=np.stack(rows),
        end=np.array(end),
        evaluations=tried.calls,
        steps=steps,
        stopped=stopped,
    )


class _Trial:
    """A slope that counts its calls and remembers whether it began undefined."""

    def __init__(self, slope: Callable[[float, Numbers], Numbers], most: int) -> None:
        self._slope = slope
        self.most = most
        self.calls = 0
        self.stopped: str | None = None

    def __call__(self, time: float, state: Numbers) -> Numbers:
        """Return the slope; what overflows becomes infinite or NaN without a word."""
        self.calls += 1
        with np.errstate(all="ignore"):
            found = self._slope(time, state)
        if self.calls == 1 and not np.isfinite(found).all():
            self.stopped = f"at time {time:.6g}: the slope at the start is not finite"
        return found


def _method(
    tried: _Trial,
    start: Numbers,
    times: Numbers,
    solver: str,
    rtol: float,
    atol: float,
) -> OdeSolver | None:
    """Return scipy's solver at the start; None where there is nothing to follow.

    Raises:
        UsageError: The solver is not known, or a tolerance out of range.
    """
    from scipy import integrate

    kind = getattr(integrate, one_of("solver", solver, SOLVERS))
    if above_zero("rtol", rtol) < _FINEST:
        raise UsageError(
            f"rtol must be at least {_FINEST:.1e}, which is what doubles resolve,"
            f" but got {rtol}"
        )
    above_zero("atol", atol)
    if len(times) < 2:
        return None
    begin, stop = float(times[0]), float(times[-1])
    # scipy asks once more for what is known to be no number, and warns.
    tried(begin, start)
    if tried.stopped is not None:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        made: OdeSolver = kind(tried, begin, start.copy(), stop, rtol=rtol, atol=atol)
    return made


def _advance(method: OdeSolver, tried: _Trial) -> str | None:
    """Take one step; return why that was not possible, or None."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            message = method.step()
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        # What implicit solvers say of a slope that is no number.
        message = f"the solver gave up ({' '.join(str(error).split())[:80]})"
    if method.status == "failed" and message is None:
        message = "the solver gave up"
    if message is None and not np.isfinite(method.y).all():
        message = "the state left the range of floats"
    if message is None and tried.calls > tried.most:
        message = (
            f"{tried.most:,} evaluations were not enough; ask for less time or a"
            " coarser tolerance"
        )
    return message and f"at time {method.t:.6g}: {message.rstrip('.').lower()}"


def _passed(
    method: OdeSolver,
    times: Numbers,
    done: int,
    keep: Callable[[float, Numbers], Numbers],
) -> list[Numbers]:
    """Return what is watched at the times that the last step has passed."""
    until = int(np.searchsorted(times, method.t, side="right"))
    if until == done:
        return []
    inside = method.dense_output()
    return [
        keep(float(time), method.y if time == method.t else inside(time))
        for time in times[done:until]
    ]


def _silent(
    watch: Callable[[float, Numbers], Numbers],
) -> Callable[[float, Numbers], Numbers]:
    """Return a watch under which overflow is infinity or NaN, as in the slope."""

    def watched(time: float, state: Numbers) -> Numbers:
        with np.errstate(all="ignore"):
            return watch(time, state)

    return watched


def _copied(time: float, state: Numbers) -> Numbers:
    del time
    return state.copy()
