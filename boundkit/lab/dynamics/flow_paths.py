"""The flow of a small net followed in time, with and without unit norms."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10, prod
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.flow_net import (
    fixed_norm_slopes,
    free_slopes,
    joined,
    split,
)
from boundkit.lab.dynamics.flow_times import probed, slope_at
from boundkit.lab.dynamics.simulation import Column, Table
from boundkit.lab.dynamics.solving import solve
from boundkit.measure.margins import margin_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from boundkit.lab.dynamics.flow_net import Sample
    from boundkit.lab.dynamics.simulation import Progress

    Numbers = NDArray[np.float64]

__all__ = ["Path", "free_path", "norms_fixed_path"]

#: Name, unit, meaning, and why a cell may be empty.
_COLUMNS = (
    ("time", "1/loss", "t of the flow", ""),
    ("rho", "1", "product of the norms of the layers", ""),
    ("loss", "loss", "mean (1 - rho fb)^2 + lam rho^2, from the outputs; P1 (1)", ""),
    ("mean_margin", "1", "mu, the mean of fb = y f_V", ""),
    ("margin_deviation", "1", "sigma, the standard deviation of fb", ""),
    ("least_margin", "1", "the smallest fb", ""),
    ("train_error", "1", "share of fb <= 0", ""),
    ("rho_eq", "1", "mu/(M + lam) of this moment; P1 (7)", "M + lam is 0"),
    ("epsilon", "loss", "(sigma^2 + lam)/(mu^2 + sigma^2 + lam); P1 (8)", "as rho_eq"),
    ("gap", "1", "1 - rho mu, how far the mean output is from 1", ""),
    ("rho_dot", "loss", "d rho/dt by P1 (6), or by P0 (12) without unit norms", ""),
    ("rho_dot_found", "loss", "d rho/dt from the path", "there is no time on one side"),
    ("lemma_4", "loss", "1 - rho (d rho/dt/2 + mu), from the path; P1 Lemma 4", "as rho_dot_found"),
    ("speed", "loss", "norm of dV/dt of all layers", ""),
    ("rest_residual", "1", "largest ||V_k - right side|| of P1 (9)", "all residuals are 0"),
    ("norm_error", "1", "largest | ||V_k|| - 1 |, or spread of the norms of W_k", ""),
    ("multiplier_error", "loss", "largest |nu_k - nu| of P1 (4)", ""),
    ("direction_error", "1", "of dV_k/dt against P0 (13) with its sign mended", "of the flow without unit norms"),
    ("dissipated", "loss", "integral of the squared speed", ""),
)  # fmt: skip
_PLACES = {name: at for at, (name, *_) in enumerate(_COLUMNS)}


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A net followed in time.

    Attributes:
        name: ``"normalized"`` or ``"unnormalized"``.
        table: What was watched.
        rho: At the end.
        layers: V_k at the end, or W_k of the flow without unit norms.
        evaluations: Of the slope.
        stopped: Why the path ends early, or None.
    """

    name: str
    table: Table
    rho: float
    layers: tuple[Numbers, ...]
    evaluations: int
    stopped: str | None


def norms_fixed_path(
    rho: float,
    layers: Sequence[Numbers],
    sample: Sample,
    decay: float,
    times: Numbers,
    *,
    solver: str,
    rtol: float,
    atol: float,
    progress: Progress | None,
) -> Path:
    """Follow P1 (5) and (6) from unit layers.

    Args:
        rho: At time 0.
        layers: V_k at time 0.
        sample: Inputs and signs.
        decay: lam.
        times: (T,) to watch at, from 0 on.
        solver: Of ``SOLVERS``.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        progress: Told of the times reached.
    """
    shapes = [layer.shape for layer in layers]

    def slope(_: float, state: Numbers) -> Numbers:
        found = fixed_norm_slopes(state[0], split(state[1:-1], shapes), sample, decay)
        squares = found.rho * found.rho + sum(
            float(np.vdot(v, v)) for v in found.layers
        )
        return np.concatenate([[found.rho], joined(found.layers), [squares]])

    def watch(time: float, state: Numbers) -> Numbers:
        parts = split(state[1:-1], shapes)
        row = _observed(state[0], parts, sample, decay)
        sizes = [float(np.linalg.norm(part)) for part in parts]
        return _row(
            row | {"norm_error": max(abs(size - 1) for size in sizes)}, time, state[-1]
        )

    start = np.concatenate([[rho], joined(layers), [0.0]])
    return _followed(
        "normalized", slope, start, shapes, times, watch, solver, rtol, atol, progress
    )


def free_path(
    rho: float,
    layers: Sequence[Numbers],
    sample: Sample,
    decay: float,
    times: Numbers,
    *,
    solver: str,
    rtol: float,
    atol: float,
    progress: Progress | None,
) -> Path:
    """Follow plain layers ``W_k = rho^(1/L) V_k``, whose norms are free; P0 (12), (13).

    Args:
        rho: At time 0.
        layers: V_k at time 0.
        sample: Inputs and signs.
        decay: lam, the coefficient of rho^2.
        times: (T,) to watch at, from 0 on.
        solver: Of ``SOLVERS``.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        progress: Told of the times reached.
    """
    shapes = [layer.shape for layer in layers]
    share = rho ** (1 / len(shapes))

    def slope(_: float, state: Numbers) -> Numbers:
        found = free_slopes(split(state[:-1], shapes), sample, decay)
        squares = sum(float(np.vdot(each, each)) for each in found)
        return np.concatenate([joined(found), [squares]])

    def watch(time: float, state: Numbers) -> Numbers:
        return _row(_free(split(state[:-1], shapes), sample, decay), time, state[-1])

    start = np.concatenate([share * joined(layers), [0.0]])
    return _followed(
        "unnormalized", slope, start, shapes, times, watch, solver, rtol, atol, progress
    )


def _observed(
    rho: float, layers: Sequence[Numbers], sample: Sample, decay: float
) -> dict[str, float]:
    """Return what there is to say of one moment; layers of norm 1."""
    found = fixed_norm_slopes(rho, layers, sample, decay)
    margins = found.margins
    # With margins that are normalized already, all but the flow of rho stays as it is.
    raw = (rho * margins, log10(rho)) if rho > 0 else (margins, 0.0)
    summary = margin_summary(*raw, decay)
    unit = summary["normalized"]
    common = float(2 * rho * np.mean((1 - rho * margins) * margins))
    sizes = [float(np.linalg.norm(layer)) for layer in found.layers]
    return {
        "rho": rho,
        "loss": float(np.mean((1 - rho * margins) ** 2) + decay * rho * rho),
        "mean_margin": _number(unit["mean"]),
        "margin_deviation": _number(unit["variance"]) ** 0.5,
        "least_margin": _number(unit["min"]),
        "train_error": _number(unit["train_error"]),
        "rho_eq": _number(unit["rho_eq"]),
        "epsilon": _number(unit["epsilon"]),
        "gap": 1 - rho * _number(unit["mean"]),
        "rho_dot": _number(unit["rho_dot"]) if rho > 0 else found.rho,
        "speed": float(np.linalg.norm(sizes)),
        "rest_residual": max(sizes) / abs(common) if common else np.nan,
        "multiplier_error": float(np.abs(found.multipliers - common / 2).max()),
    }


def _free(layers: Sequence[Numbers], sample: Sample, decay: float) -> dict[str, float]:
    """Return what there is to say of one moment of the flow without unit norms."""
    norms = [float(np.linalg.norm(layer)) for layer in layers]
    rho = prod(norms)
    units = [layer / norm for layer, norm in zip(layers, norms, strict=True)]
    row = _observed(rho, units, sample, decay)
    predicted = fixed_norm_slopes(rho, units, sample, decay).layers
    moved = free_slopes(layers, sample, decay)
    gaps, sizes = 0.0, 0.0
    for unit, norm, move, slope in zip(units, norms, moved, predicted, strict=True):
        turned = (move - np.vdot(unit, move) * unit) / norm
        # P0 (13): the factor rho^((L - 2)/L) where that of unit norms is rho.
        by_formula = slope * rho ** (-2 / len(norms))
        gaps = max(gaps, float(np.linalg.norm(turned - by_formula)))
        sizes = max(sizes, float(np.linalg.norm(turned)))
    depth = len(norms)
    return row | {
        "rho_dot": row["rho_dot"] * depth * rho ** (2 - 2 / depth),
        "speed": row["speed"] * rho ** (-2 / depth),
        "norm_error": max(norms) - min(norms),
        "direction_error": gaps / sizes if sizes else 0.0,
    }


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _row(values: dict[str, float], time: float, dissipated: float) -> Numbers:
    named = values | {"time": time, "dissipated": dissipated}
    return np.array([named.get(name, np.nan) for name in _PLACES])


def _followed(
    name: str,
    slope: Callable[[float, Numbers], Numbers],
    start: Numbers,
    shapes: Sequence[tuple[int, int]],
    times: Numbers,
    watch: Callable[[float, Numbers], Numbers],
    solver: str,
    rtol: float,
    atol: float,
    progress: Progress | None,
) -> Path:
    every, places = probed(times)
    found = solve(
        slope,
        start,
        every,
        solver=solver,
        rtol=rtol,
        atol=atol,
        watch=watch,
        progress=progress,
        what=f"{name} flow",
    )
    reached = places[places < len(found.rows)]
    rows = found.rows[reached]
    rows[:, _PLACES["rho_dot_found"]] = slope_at(
        found.times, found.rows[:, _PLACES["rho"]], reached
    )
    rho, moved = rows[:, _PLACES["rho"]], rows[:, _PLACES["rho_dot_found"]]
    if name == "normalized":
        mean = rows[:, _PLACES["mean_margin"]]
        rows[:, _PLACES["lemma_4"]] = 1 - rho * (moved / 2 + mean)
    ends = split(found.end[1 if name == "normalized" else 0 : -1], shapes)
    return Path(
        name=name,
        table=Table(name, tuple(map(_column, _COLUMNS, rows.T))),
        rho=float(found.rows[-1][_PLACES["rho"]]),
        layers=tuple(end.copy() for end in ends),
        evaluations=found.evaluations,
        stopped=found.stopped and f"{name} flow, {found.stopped}",
    )


def _column(told: tuple[str, str, str, str], numbers: Numbers) -> Column:
    name, unit, meaning, blank = told
    return Column(name, unit, meaning, numbers, blank)
