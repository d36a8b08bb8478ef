"""The closed-form flow of the signal-to-noise values, fitted to a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.tracing.points import Point

    Numbers = NDArray[np.float64]

__all__ = ["Flow", "fitted_flow", "flow_clock", "flowed"]

#: More values, or more checkpoints, are thinned out evenly before the fit.
_MOST_VALUES, _MOST_TIMES = 40, 100
_LEAST = 3
#: Of a singular value, so that its fourth power is finite.
_LARGEST_LOG = 150.0


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """P2 eq. (9), ``c1 log w + c2 w^2 + c3 w^4 = a + t``, fitted to measured values.

    Attributes:
        places: (T,) epochs or steps that were fitted.
        ranks: (J,) which values, 1 for the largest.
        measured: (T, J) singular values of the signal-to-noise matrix.
        by_place: (T, J) the law with t proportional to the epoch or step.
        free: (T, J) the law with a time of its own for every checkpoint.
        rate: Flow time for one epoch or step, where t is proportional to it.
        offsets: (J,) a of each value, at place 0, likewise.
        times: (T,) flow time since the first of these, where it is free.
        constants: c1, c2 and c3.
        residual_by_place: Root mean square of log(measured / fitted).
        residual_free: The same where time is free.
        r2_by_place: Share of the variance of the logarithms, each value about its mean.
        r2_free: The same where time is free.
        terminal: Whether places before the terminal phase are left out.
    """

    places: Numbers
    ranks: NDArray[np.int64]
    measured: Numbers
    by_place: Numbers
    free: Numbers
    rate: float
    offsets: Numbers
    times: Numbers
    constants: tuple[float, float, float]
    residual_by_place: float
    residual_free: float
    r2_by_place: float
    r2_free: float
    terminal: bool


def flow_clock(values: Numbers, classes: int) -> Numbers:
    """Return ``C^2 log w + C w^2 + w^4 / 4``, which grows by t / N in time t.

    P2 eq. (9) with its constants derived, c1 = N C^2, c2 = N C, c3 = N / 4, N samples
    per class.

    Args:
        values: Positive singular values of the signal-to-noise matrix.
        classes: C.
    """
    return _clock_of_logs(np.log(values), classes)


def _clock_of_logs(logs: Numbers, classes: int) -> Numbers:
    squares = np.exp(2 * np.minimum(logs, _LARGEST_LOG))
    clocks: Numbers = classes**2 * logs + classes * squares + squares * squares / 4
    return clocks


def flowed(clocks: Numbers, classes: int) -> Numbers:
    """Return the singular values whose ``flow_clock`` is this; its inverse.

    Newton's method in log w, where the clock is convex and increasing; P2 Proposition 2.

    Args:
        clocks: Any finite numbers.
        classes: C.
    """
    return np.exp(_logs_of_clocks(clocks, classes))


def _logs_of_clocks(clocks: Numbers, classes: int) -> Numbers:
    # Each term alone would reach the clock here or further right: w starts too large,
    # and from there Newton's steps on a convex function go down to the root.
    logs = clocks / classes**2
    big = clocks > 0
    logs[big] = np.minimum(logs[big], np.log(4 * clocks[big]) / 4)
    logs[big] = np.maximum(logs[big], 0.0)
    for _ in range(100):
        squares = np.exp(2 * np.minimum(logs, _LARGEST_LOG))
        steps = (_clock_of_logs(logs, classes) - clocks) / (classes + squares) ** 2
        logs -= steps
        if np.all(np.abs(steps) <= 1e-14 * np.maximum(1.0, np.abs(logs))):
            break
    return logs


def fitted_flow(course: Sequence[Point], began: float | None) -> Flow:
    """Fit the flow along the central path to the values of a run.

    Least squares in log w. The paper's flow is one of features that are free, renormalized
    all along, without weight decay, in the terminal phase; how its time passes per epoch
    is unknown. So it is fitted twice: with time proportional to the epoch or step, and
    with a time of its own for every checkpoint, where what is left of the law is that all
    values share one time: that differences of their clocks stay as they are.

    Args:
        course: Checkpoints that were analyzed, in order.
        began: Where the terminal phase began; earlier ones are left out if three or more
            remain.

    Raises:
        NotApplicable: There are no such values, or too few of them.
    """
    kept, terminal = _phase(course, began)
    classes, per_class, places, values = _table(kept)
    rows = _thinned(len(places), _MOST_TIMES)
    columns = _thinned(values.shape[1], _MOST_VALUES)
    places, values = places[rows], values[np.ix_(rows, columns)]
    since = (places - places[0])[:, None]
    (rate,), offsets, by_place = _fit(values, classes, since)
    times, _, free = _fit(values, classes, np.eye(len(places))[:, 1:])
    first, second = _quality(values, by_place), _quality(values, free)
    return Flow(
        places=places,
        ranks=columns + 1,
        measured=values,
        by_place=by_place,
        free=free,
        rate=float(rate) * per_class,
        offsets=(offsets - rate * places[0]) * per_class,
        times=np.concatenate([[0.0], times]) * per_class,
        constants=(per_class * classes**2, per_class * classes, per_class / 4),
        residual_by_place=first[0],
        residual_free=second[0],
        r2_by_place=first[1],
        r2_free=second[1],
        terminal=terminal,
    )


def _phase(course: Sequence[Point], began: float | None) -> tuple[list[Point], bool]:
    known = [one for one in course if one.signal is not None]
    if not known:
        raise NotApplicable(
            "needs features of the training sample: --model and --data of a net with a "
            "linear head"
        )
    late = [one for one in known if began is not None and (one.at or 0.0) >= began]
    enough = len(late) >= _LEAST
    return (late, True) if enough else (known, False)


def _table(kept: Sequence[Point]) -> tuple[int, float, Numbers, Numbers]:
    signals = [(one.at or 0.0, one.signal) for one in kept if one.signal is not None]
    first = signals[0][1]
    if first.per_class is None:
        raise NotApplicable("needs equally many samples in every class")
    if len(signals) < _LEAST:
        raise NotApplicable(f"needs {_LEAST} checkpoints, but there are {len(signals)}")
    infinite = next((at for at, one in signals if one.infinite), None)
    if infinite is not None:
        raise NotApplicable(
            f"values at {infinite:g} are infinite: no noise within classes in directions "
            "that part them"
        )
    values = np.array([one.values for _, one in signals], dtype=np.float64)
    if values.size == 0 or values.min() <= 0:
        raise NotApplicable("a value of 0 stays there: the class means coincide there")
    places = np.array([at for at, _ in signals], dtype=np.float64)
    return first.classes, first.per_class, places, values


def _thinned(count: int, most: int) -> NDArray[np.int64]:
    return np.unique(
        np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)
    )


def _quality(values: Numbers, fit: Numbers) -> tuple[float, float]:
    """Return the root mean square of the residual of log w, and R^2."""
    logs = np.log(values)
    rest = float(np.mean((logs - np.log(fit)) ** 2))
    spread = float(np.mean((logs - logs.mean(axis=0)) ** 2))
    return rest**0.5, 1 - rest / spread if spread > 0 else float("nan")


def _fit(
    values: Numbers, classes: int, basis: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Return q and a of ``clock(w_ij) = a_j + (basis q)_i``, and the values of the law.

    Args:
        values: (T, J).
        classes: C.
        basis: (T, m), its first row zero.
    """
    from scipy.optimize import least_squares

    clocks = flow_clock(values, classes)
    grown = np.median(clocks - clocks[0], axis=1)
    begin = np.linalg.lstsq(basis, grown, rcond=None)[0]
    # Clocks run over many powers of ten, so each time is counted in its own first guess.
    scale = np.maximum(np.abs(begin), 1.0)
    basis *= scale
    count = basis.shape[1]
    logs = np.log(values)

    def law(parameters: Numbers) -> Numbers:
        starts = _clock_of_logs(parameters[count:], classes)
        return _logs_of_clocks(starts + (basis @ parameters[:count])[:, None], classes)

    def rest(parameters: Numbers) -> Numbers:
        return (law(parameters) - logs).ravel()

    def slopes(parameters: Numbers) -> Numbers:
        here = 1 / (classes + np.exp(2 * law(parameters))) ** 2
        capped = np.minimum(parameters[count:], _LARGEST_LOG)
        first = (classes + np.exp(2 * capped)) ** 2
        times = here[:, :, None] * basis[:, None, :]
        starts = here[:, :, None] * np.diag(first)
        return np.concatenate([times, starts], axis=2).reshape(values.size, -1)

    start = np.concatenate([begin / scale, logs[0]])
    best = least_squares(rest, start, slopes, x_scale="jac").x
    starts = _clock_of_logs(best[count:], classes)
    return best[:count] * scale, starts, np.exp(law(best))
