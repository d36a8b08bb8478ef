"""The scalar reduction: margins are fixed, rho alone moves, all is known in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from boundkit.lab.dynamics import scalar_closed as closed
from boundkit.lab.dynamics.scalar_claims import (
    Reduction,
    descent_claims,
    flow_claims,
)
from boundkit.lab.dynamics.simulation import (
    Chart,
    Column,
    Panel,
    Series,
    Simulation,
    Table,
)
from boundkit.lab.dynamics.solving import solve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from boundkit.lab.dynamics.checks import Check

    Numbers = NDArray[np.float64]

__all__ = ["scalar_simulation"]

_NONE = "rho is not positive, or has overflowed"
#: rho at which descent is said to diverge, over the larger of 1 and its start.
_BEYOND = 1e6
_MODELS: tuple[tuple[str, Literal["line", "dashed"]], ...] = (
    ("rho_flow", "line"),
    ("rho_second", "dashed"),
)
#: Times of the second-order flow within a step.
_FINER = 16


def scalar_simulation(
    reduction: Reduction,
    end: float,
    points: int,
    settings: Mapping[str, Any],
    *,
    solver: str,
    rtol: float,
    atol: float,
) -> Simulation:
    """Follow rho with fixed margins, with and without unit norms, and by descent.

    Args:
        reduction: What is fixed.
        end: Time.
        points: Times to look at.
        settings: To be kept with the result.
        solver: Of ``SOLVERS``.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
    """
    times = np.linspace(0, end, points + 1)
    table, stopped = _flow(reduction, times, solver, rtol, atol)
    tables, charts = [table], [_flow_chart(table, reduction)]
    checks: tuple[Check, ...] = flow_claims(reduction, table, rtol)
    if reduction.rate is not None:
        beside, fine, halted = _descent(reduction, times, solver, rtol, atol)
        tables += [beside, fine]
        charts.append(_descent_chart(beside, reduction))
        checks += descent_claims(reduction, beside, fine, rtol)
        stopped = stopped or halted
    notes = []
    if reduction.mean <= 0:
        notes.append(
            "The mean margin is not positive, so there is no average separability: rho_eq"
            " is not positive, and the flow takes rho there through 0."
        )
    return Simulation(
        system="flow",
        title=(
            f"scalar reduction: {len(reduction.margins)} fixed margins,"
            f" {reduction.depth} layers"
        ),
        settings=settings,
        tables=tuple(tables),
        checks=checks,
        charts=tuple(charts),
        summary={
            "mean margin mu": reduction.mean,
            "second moment M": reduction.square,
            "rho_eq = mu/(M + lam)": reduction.rest,
            "relaxation time 1/(2 (M + lam))": 1 / (2 * reduction.stiffness),
            "rho at the end": float(table.column("rho")[-1]),
        },
        notes=tuple(notes),
        stopped=stopped,
    )


def _flow(
    reduction: Reduction, times: Numbers, solver: str, rtol: float, atol: float
) -> tuple[Table, str | None]:
    """Return rho with and without unit norms."""
    mean, stiffness, depth = reduction.mean, reduction.stiffness, reduction.depth

    def fixed(_: float, rho: Numbers) -> Numbers:
        return 2 * (mean - stiffness * rho)

    def free(_: float, rho: Numbers) -> Numbers:
        # A trial step may reach below 0, where the power is not real.
        return closed.free_slope(np.maximum(rho, 0.0), mean, stiffness, depth)

    start = np.array([reduction.rho])
    paths = [
        solve(slope, start, times, solver=solver, rtol=rtol, atol=atol)
        for slope in (fixed, free)
    ]
    rho, other = (_padded(path.rows[:, 0], len(times)) for path in paths)
    exact = closed.relaxation(times, reduction.rho, mean, stiffness)
    second = reduction.square + reduction.decay
    return Table(
        "flow",
        (
            Column("time", "1/loss", "t of the flow", times),
            Column("rho", "1", "by P1 (6)", rho, _NONE),
            Column("rho_closed", "1", "rho_eq + (rho - rho_eq) exp(-2 A t)", exact),
            Column("rho_free", "1", f"by P0 (12), L = {depth}", other, _NONE),
            Column(
                "loss", "loss", "P1 (11)", 1 - 2 * rho * mean + rho**2 * second, _NONE
            ),
            Column(
                "loss_free",
                "loss",
                "P1 (11)",
                1 - 2 * other * mean + other**2 * second,
                _NONE,
            ),
        ),
    ), next((path.stopped for path in paths if path.stopped), None)


def _padded(values: Numbers, length: int) -> Numbers:
    return np.pad(values, (0, length - len(values)), constant_values=np.nan)


def _descent(
    reduction: Reduction, times: Numbers, solver: str, rtol: float, atol: float
) -> tuple[Table, Table, str | None]:
    """Return descent beside its models, and the second-order flow at more times."""
    rate, mean, stiffness = reduction.rate or 0.0, reduction.mean, reduction.stiffness
    counts = np.arange(int(times[-1] / rate) + 1)

    def slope(_: float, state: Numbers) -> Numbers:
        rho, speed = state
        force = 2 * (mean - stiffness * rho)
        return np.array([speed, (2 / rate) * (force - speed)])

    begin = np.array([reduction.rho, 2 * (mean - stiffness * reduction.rho)])
    moments = np.linspace(0.0, counts[-1] * rate, (len(counts) - 1) * _FINER + 1)
    path = solve(slope, begin, moments, solver=solver, rtol=rtol, atol=atol)
    between = _padded(path.rows[:, 0], len(moments))
    fine = Table(
        "second-order",
        (
            Column("time", "1/loss", "t of the flow", moments),
            Column("rho_second", "1", "by P0 (20)", between, _NONE),
        ),
    )
    steps = _steps(reduction, len(counts))
    stopped = path.stopped
    if rate * stiffness >= 1:
        stopped = (
            f"gradient descent with rate {rate:g} does not converge, {len(steps) - 1:,} steps"
            f" taken: eta (M + lam) = {rate * stiffness:.3g} must be below 1; give a --rate"
            f" below {1 / stiffness:.3g}"
        )
    return _beside(reduction, counts, steps, between[::_FINER]), fine, stopped


def _steps(reduction: Reduction, count: int) -> Numbers:
    """Return rho before each step, until it has diverged."""
    steps, now = [], reduction.rho
    for _ in range(count):
        steps.append(now)
        if not abs(now) < _BEYOND * max(1.0, reduction.rho):
            break
        now += (
            (reduction.rate or 0.0) * 2 * (reduction.mean - reduction.stiffness * now)
        )
    return np.array(steps)


def _beside(
    reduction: Reduction, counts: NDArray[np.int64], steps: Numbers, second: Numbers
) -> Table:
    """Return descent, its models, and all of it in closed form."""
    rate, rho = reduction.rate or 0.0, reduction.rho
    forces = (reduction.mean, reduction.stiffness)
    hours = np.asarray(counts * rate, np.float64)
    exact = closed.descent(counts, rho, *forces, rate)
    columns = {
        "rho_descent": ("step by step", _padded(steps, len(counts))),
        "rho_descent_closed": (
            "rho_eq + (rho - rho_eq) (1 - 2 eta A)^k",
            np.where(np.abs(exact) < np.inf, exact, np.nan),
        ),
        "rho_second": ("by P0 (20)", second),
        "rho_second_closed": (
            "damped oscillator",
            closed.oscillator(hours, rho, *forces, rate),
        ),
        "rho_flow": ("P1 (6), closed", closed.relaxation(hours, rho, *forces)),
    }
    return Table(
        "descent",
        (
            Column("time", "1/loss", "steps times rate", hours),
            Column("step", "steps", "of descent", counts.astype(np.float64)),
            *(
                Column(name, "1", meaning, numbers, _NONE)
                for name, (meaning, numbers) in columns.items()
            ),
        ),
    )


def _flow_chart(table: Table, reduction: Reduction) -> Chart:
    time, column = table.column("time"), table.column
    level = np.full_like(time, reduction.rest)
    free = f"free norms, L = {reduction.depth}"
    return Chart(
        "flow",
        "Scalar reduction: rho with fixed margins",
        (
            Panel(
                "time",
                "rho",
                (
                    Series("unit norms", time, column("rho")),
                    Series("closed form", time, column("rho_closed"), "dashed"),
                    Series(free, time, column("rho_free")),
                    Series("rho_eq", time, level, "dotted"),
                ),
            ),
            Panel(
                "time",
                "loss",
                (
                    Series("unit norms", time, column("loss")),
                    Series(free, time, column("loss_free")),
                    Series(
                        "epsilon", time, np.full_like(time, reduction.epsilon), "dotted"
                    ),
                ),
                log_y=True,
            ),
        ),
    )


def _descent_chart(table: Table, reduction: Reduction) -> Chart:
    time, column = table.column("time"), table.column
    return Chart(
        "flow-descent",
        f"Gradient descent with rate {reduction.rate:g} and its models",
        (
            Panel(
                "time = steps x rate",
                "rho",
                (
                    Series("descent", time, column("rho_descent"), "points"),
                    Series("flow", time, column("rho_flow")),
                    Series("second order", time, column("rho_second"), "dashed"),
                ),
            ),
            Panel(
                "time = steps x rate",
                "distance from descent",
                (
                    *(
                        Series(
                            name.replace("_", " "),
                            time[1:],
                            np.abs(column(name) - column("rho_descent"))[1:],
                            style,
                        )
                        for name, style in _MODELS
                    ),
                ),
                log_y=True,
            ),
        ),
    )
