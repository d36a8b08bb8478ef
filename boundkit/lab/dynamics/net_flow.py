"""The flow of a small net on two classes, as a simulation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError
from boundkit.lab.dynamics import settings as setting
from boundkit.lab.dynamics.flow_charts import path_charts
from boundkit.lab.dynamics.flow_claims import free_claims, normalized_claims
from boundkit.lab.dynamics.flow_descent import compared
from boundkit.lab.dynamics.flow_net import random_directions
from boundkit.lab.dynamics.flow_paths import free_path, norms_fixed_path
from boundkit.lab.dynamics.flow_times import regular_times
from boundkit.lab.dynamics.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from boundkit.lab.dynamics.flow_descent import Comparison
    from boundkit.lab.dynamics.flow_net import Sample
    from boundkit.lab.dynamics.flow_paths import Path
    from boundkit.lab.dynamics.simulation import Progress

    Numbers = NDArray[np.float64]

__all__ = ["net_simulation"]

#: Parameters of a net at most: implicit solvers hold a matrix of that size.
_MOST_PARAMETERS = 3000


def net_simulation(
    sample: Sample,
    widths: tuple[int, ...],
    rho: float,
    decay: float,
    end: float,
    rate: float | None,
    seed: int,
    points: int,
    told: Mapping[str, Any],
    *,
    solver: str,
    rtol: float,
    atol: float,
    progress: Progress | None,
) -> Simulation:
    """Follow a net with unit norms, with free norms, and by descent where there is a rate.

    Args:
        sample: Inputs and signs.
        widths: Of the hidden layers.
        rho: At time 0.
        decay: lam.
        end: Time.
        rate: Of descent, or None.
        seed: Of the layers.
        points: Times to look at.
        told: Settings to be kept beside these.
        solver: Of ``SOLVERS``.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        progress: Told of what is done.

    Raises:
        UsageError: The net is too large, or the rate out of range.
    """
    layers, negated = random_directions(widths, sample, setting.whole("seed", seed, 0))
    size = _checked_size(layers)
    times = regular_times(end, points)
    fixed, free = (
        follow(
            rho,
            layers,
            sample,
            decay,
            times,
            solver=solver,
            rtol=rtol,
            atol=atol,
            progress=progress,
        )
        for follow in (norms_fixed_path, free_path)
    )
    found = Simulation(
        system="flow",
        title=(
            f"net {'-'.join(map(str, (sample.inputs.shape[1], *widths, 1)))},"
            f" {size:,} parameters, {len(sample.signs)} samples"
        ),
        settings=_settings(sample, widths, rho, decay, end, rate, seed) | dict(told),
        tables=(fixed.table, free.table),
        checks=normalized_claims(fixed, decay, rtol)
        + free_claims(free, len(layers), rtol),
        charts=path_charts((fixed, free)),
        summary=_summary(fixed, free),
        notes=_notes(sample, (fixed, free), negated),
        stopped=fixed.stopped or free.stopped,
    )
    if rate is None:
        return found
    return _with(
        found, compared(rho, layers, sample, decay, rate, end, points, progress)
    )


def _with(found: Simulation, beside: Comparison) -> Simulation:
    """Return a simulation with descent and its models added."""
    return replace(
        found,
        tables=(*found.tables, beside.table),
        checks=found.checks + beside.checks,
        charts=(*found.charts, beside.chart),
        stopped=found.stopped or beside.stopped,
    )


def _checked_size(layers: Sequence[Numbers]) -> int:
    """Return how many parameters there are.

    Raises:
        UsageError: Too many to be followed.
    """
    size = sum(layer.size for layer in layers)
    if size > _MOST_PARAMETERS:
        raise UsageError(
            f"the net must have at most {_MOST_PARAMETERS:,} parameters to be followed,"
            f" but has {size:,}; give fewer --widths or a larger --pool"
        )
    return size


def _settings(
    sample: Sample,
    widths: tuple[int, ...],
    rho: float,
    decay: float,
    end: float,
    rate: float | None,
    seed: int,
) -> dict[str, Any]:
    return {
        "reduction": "net",
        "data": sample.name,
        "samples": len(sample.signs),
        "inputs": sample.inputs.shape[1],
        "widths": list(widths),
        "rounding": sample.rounding,
        "rho": rho,
        "decay": decay,
        "time": end,
        "rate": rate,
        "seed": seed,
    }


def _summary(fixed: Path, free: Path) -> dict[str, float | int]:
    first, other = fixed.table.column, free.table.column
    return {
        "rho with unit norms": float(first("rho")[-1]),
        "rho_eq there": float(first("rho_eq")[-1]),
        "rho with free norms": float(other("rho")[-1]),
        "loss with unit norms": float(first("loss")[-1]),
        "loss with free norms": float(other("loss")[-1]),
        "least margin with unit norms": float(first("least_margin")[-1]),
        "share of margins below 0": float(first("train_error")[-1]),
        "evaluations of the slope": fixed.evaluations + free.evaluations,
    }


def _notes(sample: Sample, paths: Sequence[Path], negated: bool) -> tuple[str, ...]:
    notes = [
        "Sums over the sample are means, as in P1; P0's lam is n times as large.",
        "Inputs are divided by their norms; layers begin as Gaussian directions"
        + (
            ", the last negated so that the mean margin is positive (P1 3.5 gives that an"
            " even chance)."
            if negated
            else "."
        ),
    ]
    if sample.rounding:
        notes.append(
            f"The kink of ReLU is rounded off over {sample.rounding:g} ||h|| ||V_k||, which"
            " keeps the net homogeneous in each layer and the flow smooth."
        )
    crossing = [path.name for path in paths if (path.table.column("rho") <= 0).any()]
    if crossing:
        notes.append(
            f"rho crossed 0 in the {' and '.join(crossing)} flow: average separability was"
            " lost; give a smaller --rho or another --seed."
        )
    return tuple(notes)
