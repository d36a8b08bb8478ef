"""The forms of the bound for networks with additions, one for each point of its grids.

A form rounds the ratios at additions up on one grid and counts constants of biases at one
scale; delta is shared out among them, so the best may be chosen afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.bias_scales import UNBIASED, BiasScale, worth_trying
from boundkit.certify.energies import energy_through
from boundkit.certify.lead_paths import lead_paths
from boundkit.certify.rademacher import Complexity
from boundkit.certify.ratio_grid import PER_OCTAVE, grid_cost, rounded_up
from boundkit.certify.residual import combined, scales
from boundkit.certify.residual_steps import steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from boundkit.certify.lead_paths import LeadPaths
    from boundkit.certify.residual import Combined
    from boundkit.certify.residual_steps import Steps
    from boundkit.types import Evidence, Network, Norms

    Vector = NDArray[np.float64]

__all__ = ["Residual", "residual"]


@dataclass(frozen=True, slots=True, eq=False)
class Residual:
    """The complexity of a network with additions.

    Attributes:
        forms: With K the sum over routes relative to the one that takes the main
            summand of every addition.
        weights: Per form, (routes,) K of each route times the ratios it takes.
        whole: All routes, for the energy of each.
        ratios: How many ratios there are.
    """

    forms: tuple[Complexity, ...]
    weights: tuple[Vector, ...]
    whole: Combined
    ratios: int


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """One point of the grids.

    Attributes:
        scale: Of the constants of biases.
        log_rho: Logarithm of the scale of the output.
        log_ratios: At additions, rounded up.
        per_octave: Points of the grid of ratios per factor of 2.
        log_ratio_cost: Logarithm, negated, of the share of delta of the ratios.
    """

    scale: BiasScale
    log_rho: float
    log_ratios: Mapping[tuple[str, int], float]
    per_octave: int
    log_ratio_cost: float


def _unit_squares(lead: LeadPaths) -> dict[str, float]:
    """Return how large each constant counts, squared, where all together add 1."""
    count = len(lead.constants)
    return {
        name: 1 / (count * (paths or 1.0)) for name, paths in lead.constants.items()
    }


def _squares(
    of: Steps, unit: Mapping[str, float], scale: BiasScale
) -> dict[str, float]:
    # Nodes from which no way leads to the output may count as they like.
    return {
        step.name: unit.get(step.name, 1.0) * scale.energy
        for step in of.steps
        if step.constant
    }


def _scales_worth_trying(
    of: Steps,
    network: Network,
    norms: Norms,
    lead: LeadPaths,
    evidence: Evidence | None,
    input_norm: float,
) -> tuple[BiasScale, ...]:
    if not any(step.constant for step in of.steps):
        return (UNBIASED,)
    unit = _unit_squares(lead)
    on_main = lead.main & lead.constants.keys()
    constants = math.fsum(unit[name] * lead.constants[name] for name in on_main)
    energy = energy_through(lead.inputs, evidence, input_norm)

    def log_size(scale: BiasScale) -> float:
        log_rho, ratios = scales(of, network, norms, _squares(of, unit, scale))
        beside = [r + lead.log_spread.get(at, 0.0) for at, r in ratios.items()]
        through = float(np.logaddexp.reduce([0.0, *beside]))
        reached = max(energy + constants * scale.energy, 1e-300)
        return log_rho + through + 0.5 * math.log(reached)

    return worth_trying(float(lead.inputs.mean()), log_size)


def _points(
    of: Steps,
    network: Network,
    norms: Norms,
    lead: LeadPaths,
    tried: tuple[BiasScale, ...],
) -> list[_Point]:
    unit = _unit_squares(lead)
    found: list[_Point] = []
    for scale in tried:
        log_rho, ratios = scales(of, network, norms, _squares(of, unit, scale))
        spread = {at: lead.log_spread.get(at, 0.0) for at in ratios}
        grids = PER_OCTAVE if ratios else PER_OCTAVE[:1]
        for per in grids:
            up = {at: rounded_up(r + spread[at], per) for at, r in ratios.items()}
            cost = grid_cost([k for _, k in up.values()], per) + math.log(len(grids))
            rounded = {at: log - spread[at] for at, (log, _) in up.items()}
            found.append(_Point(scale, log_rho, rounded, per, cost))
    return found


def _form(
    of: Steps, network: Network, whole: Combined, point: _Point, grid: int
) -> Complexity:
    constant, energy, mean_paths = whole.form(grid, point.scale.energy)
    terms: dict[str, float | str | None] = {
        "branches": len(point.log_ratios),
        "routes": len(whole.counts),
        "ratios_per_octave": point.per_octave,
        "log_ratio_cost": point.log_ratio_cost,
    }
    return Complexity(
        point.log_rho + float(whole.log_excess[grid]),
        constant,
        whole.kind,
        network.outputs,
        energy,
        mean_paths,
        of.layers,
        log_cost=point.log_ratio_cost + point.scale.log_cost,
        bias_energy=point.scale.energy,
        extra=terms | dict(point.scale.terms),
    )


def residual(
    network: Network, norms: Norms, evidence: Evidence | None, input_norm: float
) -> Residual:
    """Return the complexity of a network with additions, on every grid worth trying.

    Args:
        network: Traced.
        norms: Of its weights.
        evidence: The training sample, or None.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        NotApplicable: The theorem does not cover the network.
    """
    of = steps(network)
    lead = lead_paths(of)
    tried = _scales_worth_trying(of, network, norms, lead, evidence, input_norm)
    points = _points(of, network, norms, lead, tried)
    log_ratios = {
        at: np.array([point.log_ratios[at] for point in points])
        for at in points[0].log_ratios
    }
    at_one = _squares(of, _unit_squares(lead), BiasScale(1.0, 0.0))
    whole = combined(of, network, log_ratios, at_one, evidence, input_norm)
    # Without ratios all points share the one column.
    columns = [grid if log_ratios else 0 for grid in range(len(points))]
    return Residual(
        tuple(
            _form(of, network, whole, point, column)
            for point, column in zip(points, columns, strict=True)
        ),
        tuple(whole.weights[:, column] for column in columns),
        whole,
        len(log_ratios),
    )
