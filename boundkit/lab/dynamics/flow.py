"""The flow of (rho, V_k): P1 (2) to (8), P0 (12) to (15) and (20) to (27)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import UsageError
from boundkit.lab.dynamics import settings as setting
from boundkit.lab.dynamics.flow_sample import two_classes
from boundkit.lab.dynamics.net_flow import net_simulation
from boundkit.lab.dynamics.scalar_claims import Reduction
from boundkit.lab.dynamics.scalar_flow import scalar_simulation
from boundkit.lab.dynamics.simulation import System

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boundkit.lab.dynamics.flow_net import Sample
    from boundkit.lab.dynamics.simulation import Progress, Simulation

__all__ = ["FLOW", "REDUCTIONS", "run_flow"]

REDUCTIONS = ("net", "scalar")
#: Time of a net where none is given, and relaxation times of the scalar reduction.
_NET_TIME, _RELAXATIONS = 1000.0, 12.0
#: Of descent in the scalar reduction.
_MOST_STEPS = 100_000


def run_flow(
    *,
    reduction: str = "net",
    data: Any = None,
    classes: tuple[int, int] = (0, 1),
    samples: int = 100,
    pool: int | None = None,
    widths: Sequence[int] = (16,),
    rounding: float = 0.05,
    margins: Sequence[float] = (0.2, 0.3, 0.1, 0.4),
    depth: int = 3,
    rho: float = 0.3,
    decay: float = 1e-3,
    time: float | None = None,
    rate: float | None = None,
    seed: int = 0,
    solver: str = "BDF",
    rtol: float = 1e-5,
    atol: float = 1e-8,
    points: int = 100,
    progress: Progress | None = None,
) -> Simulation:
    """Follow rho and the unit layers of a small net, or rho alone with fixed margins.

    Args:
        reduction: ``"net"``, or ``"scalar"``: margins are fixed and rho alone moves.
        data: Of the net, as ``boundkit.analyze`` takes it; None for Fashion-MNIST.
        classes: Labels of the two classes.
        samples: Of both classes together, even.
        pool: Side of the squares of pixels that are averaged; None for 4 on the default
            data and 1 on others.
        widths: Of the hidden layers of the net.
        rounding: Over how much of ``||h|| ||V||`` the kink of ReLU is rounded off; 0
            leaves it, and then error control may stall where units slide along it.
        margins: Of the scalar reduction, y f of unit layers.
        depth: L of the scalar reduction without unit norms.
        rho: At time 0.
        decay: lam, the coefficient of rho^2 beside the mean square loss.
        time: Until when; None for 1000, or 12 relaxation times of the scalar reduction.
        rate: Learning rate of gradient descent and of its second-order model; None for
            neither.
        seed: Of the layers at time 0.
        solver: RK45, DOP853, LSODA, Radau or BDF of scipy.
        rtol: Relative tolerance of a step.
        atol: Absolute tolerance of a step.
        points: Times to look at.
        progress: Told of what is done.

    Raises:
        UsageError: A setting is out of range.
        DataError: The data cannot be used.
    """
    setting.one_of("reduction", reduction, REDUCTIONS)
    setting.above_zero("rho", rho)
    setting.not_below_zero("decay", decay)
    setting.whole("points", points, 5)
    if rate is not None:
        setting.above_zero("rate", rate)
    if time is not None:
        setting.above_zero("time", time)
    numerics = {"points": points, "solver": solver, "rtol": rtol, "atol": atol}
    if reduction == "scalar":
        return _of_margins(
            Reduction(
                _margins(margins, decay),
                float(rho),
                float(decay),
                setting.whole("depth", depth, 1),
                rate,
            ),
            time,
            points,
            numerics,
            solver=solver,
            rtol=rtol,
            atol=atol,
        )
    return net_simulation(
        _sample(data, classes, samples, pool, rounding),
        tuple(setting.whole("widths", width, 1) for width in widths),
        float(rho),
        float(decay),
        time or _NET_TIME,
        rate,
        seed,
        points,
        {"classes": list(classes), **numerics},
        solver=solver,
        rtol=rtol,
        atol=atol,
        progress=progress,
    )


FLOW = System(
    name="flow",
    title="gradient flow of the product of norms and the unit layers, on the square loss",
    source="P1 (1) to (11); P0 (12) to (15), (20) to (27)",
    run=run_flow,
)


def _of_margins(
    reduction: Reduction,
    time: float | None,
    points: int,
    told: Mapping[str, Any],
    *,
    solver: str,
    rtol: float,
    atol: float,
) -> Simulation:
    end, rate = time or _RELAXATIONS / (2 * reduction.stiffness), reduction.rate
    if rate is not None and not rate <= end <= _MOST_STEPS * rate:
        raise UsageError(
            f"rate must take between 1 and {_MOST_STEPS:,} steps to time {end:g}, but got"
            f" {rate}"
        )
    settings = {
        "reduction": "scalar",
        "margins": reduction.margins.tolist(),
        "depth": reduction.depth,
        "rho": reduction.rho,
        "decay": reduction.decay,
        "time": end,
        "rate": rate,
        **told,
    }
    return scalar_simulation(
        reduction, end, points, settings, solver=solver, rtol=rtol, atol=atol
    )


def _margins(margins: Sequence[float], decay: float) -> np.ndarray:
    """Return margins that have an equilibrium.

    Raises:
        UsageError: There are none, one is not finite or above 1, or all are 0 without decay.
    """
    found = np.array([setting.number("margins", each) for each in margins], np.float64)
    if not len(found):
        raise UsageError("margins must be at least one number, but got none")
    if np.abs(found).max() > 1:
        raise UsageError(
            "margins must lie in [-1, 1], as those of unit layers on inputs of norm 1 do,"
            f" but got {found[np.abs(found).argmax()]}"
        )
    if decay == 0 and not found.any():
        raise UsageError(
            "margins must not all be 0 where decay is 0: rho_eq = mu/(M + lam) is 0/0"
        )
    return found


def _sample(
    data: Any, classes: tuple[int, int], samples: int, pool: int | None, rounding: float
) -> Sample:
    if len(classes) != 2:
        raise UsageError(f"classes must be two labels, but got {len(classes)}")
    side = pool if pool is not None else (4 if data is None else 1)
    found = two_classes(data, (classes[0], classes[1]), samples, side)
    return replace(found, rounding=setting.not_below_zero("rounding", rounding))
