"""The path-count bound for networks with additions: residual blocks and the like.

Every route through the additions is a chain; the complexity of the network is at most the
sum over routes of what each would have alone, times the product of the ratios of norms of
the branches that it takes (docs/theory_residual.md, Theorem R).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.rademacher import Complexity
from boundkit.certify.residual_steps import steps
from boundkit.certify.residual_walk import routes
from boundkit.errors import NotApplicable
from boundkit.numerics.coins import (
    chain_constant,
    chain_constant_of_data,
    dense_constant,
    dense_constant_of_data,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from boundkit.certify.residual_steps import Step, Steps
    from boundkit.certify.residual_walk import Route
    from boundkit.types import Evidence, Network, Norms

    Vector = NDArray[np.float64]

__all__ = ["Combined", "Residual", "combined", "grid_cost", "residual", "rounded_up"]

#: Points of the grids of ratios per factor of 2; which grid is best is found afterwards.
_PER_OCTAVE = (1, 2, 4, 8)
#: Smallest ratio that is told from 0; a smaller one makes every other ratio dearer.
_SMALLEST = 0.1


@dataclass(frozen=True, slots=True)
class Residual:
    """The complexity of a network with additions on one grid of ratios.

    Attributes:
        complexity: With K the sum over routes relative to the one that takes the main
            input of every addition.
        log_cost: Logarithm of the share of delta that the ratios use up, negated.
        per_octave: Points of the grid per factor of 2.
        ratios: How many ratios there are.
        routes: How many different routes.
    """

    complexity: Complexity
    log_cost: float
    per_octave: int
    ratios: int
    routes: int


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """The sum over routes, for one or several vectors of ratios.

    Attributes:
        constant: (grids,) K: the sum over the root of ``energy``.
        energy: ``S_N^2 / n`` of the route that takes every main summand.
        mean_paths: (grids,) anchors the grid of norms.
        log_excess: (grids,) what is taken out of both and goes into rho.
        kind: Where K comes from, in words.
        routes: How many different routes.
    """

    constant: Vector
    energy: float
    mean_paths: Vector
    log_excess: Vector
    kind: str
    routes: int


def rounded_up(log_ratio: float, per_octave: int) -> tuple[float, int]:
    """Return a ratio rounded up to ``2^(k / per_octave) / 10``, and k >= 0.

    Args:
        log_ratio: Natural logarithm of the ratio.
        per_octave: Points of the grid per factor of 2.
    """
    step = math.log(2) / per_octave
    above = (log_ratio - math.log(_SMALLEST)) / step
    k = math.ceil(above) if above > 0 else 0
    return math.log(_SMALLEST) + k * step, k


def grid_cost(numbers: list[int]) -> float:
    """Return log of ``prod (k + 1)(k + 2)``: the shares of delta sum to 1 over all k.

    Args:
        numbers: The k of every ratio.
    """
    return math.fsum(math.log((k + 1) * (k + 2)) for k in numbers)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _joint(log_scale: float, constant: float) -> float:
    """Return log of ``P sqrt(norm^2 + (constant / P)^2)`` from that of ``P norm``."""
    return 0.5 * float(np.logaddexp(2 * log_scale, 2 * _log(constant)))


def _grown(
    step: Step, head: str | None, network: Network, norms: Norms, log_scale: float
) -> float:
    # The logarithm of the scale behind a node of one input.
    if step.normalizes:
        if step.name not in norms.affine:
            raise NotApplicable(f"normalization layer {step.name}: numbers are missing")
        factor, shift = norms.affine[step.name]
        return _joint(log_scale + _log(factor), shift)
    if step.layer is None:
        return log_scale + math.log(step.factor)
    weight, bias = norms.weight[step.layer], norms.bias.get(step.layer, 0.0)
    if step.name == head and norms.head is not None:
        weight, bias = norms.head, norms.head_bias
    elif step.name == head and network.outputs == 2:
        # The difference of two rows is at most sqrt(2) times the norm of both.
        weight, bias = weight * math.sqrt(2), bias * math.sqrt(2)
    return _joint(log_scale + _log(weight), bias)


def _scales(
    of: Steps, network: Network, norms: Norms
) -> tuple[float, dict[tuple[str, int], float]]:
    # Logarithm of the scale of the output, and of the ratios at additions.
    log_scale = {of.source: 0.0}
    ratios: dict[tuple[str, int], float] = {}
    for step in of.steps:
        before = [log_scale[name] for name in step.inputs]
        if len(before) == 1:
            log_scale[step.name] = _grown(step, of.head, network, norms, before[0])
            continue
        log_scale[step.name] = before[step.main]
        for number, scale in enumerate(before):
            if number != step.main:
                ratios[step.name, number] = scale - before[step.main]
    if not math.isfinite(log_scale[of.last]):
        raise NotApplicable("a layer that every route passes is zero")
    return log_scale[of.last], ratios


def _energy(counts: Vector, evidence: Evidence | None, input_norm: float) -> float:
    """Return the energy of the inputs that reaches the output, per sample."""
    if evidence is None or evidence.position_energy is None:
        return float(counts.max()) * input_norm**2
    energy = np.asarray(evidence.position_energy)
    if energy.size == counts.size:
        return float(np.vdot(energy.ravel(), counts.ravel()))
    return float(counts.max()) * evidence.mean_square_norm


def _constant(
    route: Route, evidence: Evidence | None, *, plain: bool, dense: bool
) -> float:
    """Return K of one route; Theorem B and data are for one source and no common coins."""
    if not plain or route.sealed:
        return chain_constant(route.coins)
    free = (dense_constant if dense else chain_constant)(route.coins)
    if evidence is None or evidence.patch_spectrum is None or route.first is None:
        return free
    if dense:
        of_data = dense_constant_of_data(route.coins, evidence.patch_spectrum[0])
        return min(free, of_data)
    paths = np.atleast_1d(route.first).ravel()
    if evidence.patch_energy is None or paths.size != evidence.patch_energy.size:
        return free
    weight = paths * evidence.patch_energy
    return min(
        free, chain_constant_of_data(route.coins, weight, evidence.patch_spectrum)
    )


def _one_position(of: Steps) -> bool:
    stages = [step.stage for step in of.steps if step.stage is not None]
    return all(stage.edges is None and stage.inputs == () for stage in stages)


def _kind(found: tuple[Route, ...], of: Steps) -> str:
    ways = f"sum over {len(found)} kinds of routes"
    if any(step.sealed is not None for step in of.steps):
        return f"{ways}, with the coins of the longest"
    return f"{ways}, each with its own"


def combined(
    of: Steps,
    network: Network,
    log_ratios: Mapping[tuple[str, int], Vector],
    grids: int,
    evidence: Evidence | None,
    input_norm: float,
) -> Combined:
    """Return the sum over all routes for networks whose main scale is 1.

    Args:
        of: The network.
        network: The same.
        log_ratios: (addition, number of a summand that is not the main one) -> (grids,)
            logarithm of an upper bound on its scale over that of the main summand.
        grids: How many vectors of ratios at once.
        evidence: The training sample, or None.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        NotApplicable: There are too many routes, or paths.
    """
    found = routes(of, log_ratios, grids)
    plain = (network.outputs or 1) <= 2 and not any(s.constant for s in of.steps)
    dense = _one_position(of)
    energies = [_energy(r.counts, evidence, input_norm) + r.constants for r in found]
    constants = [_constant(r, evidence, plain=plain, dense=dense) for r in found]
    if not all(map(math.isfinite, energies)):
        raise NotApplicable("the paths through the additions are too many for a float")
    main = next(i for i, route in enumerate(found) if route.main)
    base = max(energies[main], 1e-300)
    logs = np.array([route.log_weight for route in found])
    # Ratios too large for a float go into rho, which leaves every product as it is.
    excess = np.where(logs.max(axis=0) > 200, logs.max(axis=0), 0.0)
    weights = np.exp(logs - excess)
    roots = np.sqrt([float(np.mean(route.counts)) for route in found])
    return Combined(
        np.sqrt(np.array(energies) / base) * constants @ weights,
        base,
        (roots @ weights) ** 2,
        excess,
        _kind(found, of),
        len(found),
    )


def residual(
    network: Network, norms: Norms, evidence: Evidence | None, input_norm: float
) -> tuple[Residual, ...]:
    """Return the complexity of a network with additions, on each grid of ratios.

    Args:
        network: Traced.
        norms: Of its weights.
        evidence: The training sample, or None.
        input_norm: The norm that inputs are taken to stay below, without data.

    Returns:
        One per grid; delta is shared out among the grids, so the best may be chosen.

    Raises:
        NotApplicable: The theorem does not cover the network.
    """
    of = steps(network)
    log_rho, ratios = _scales(of, network, norms)
    grids = _PER_OCTAVE if ratios else _PER_OCTAVE[:1]
    rounded = {
        at: [rounded_up(ratio, per) for per in grids] for at, ratio in ratios.items()
    }
    log_ratios: Mapping[tuple[str, int], Vector] = {
        at: np.array([value for value, _ in values]) for at, values in rounded.items()
    }
    whole = combined(of, network, log_ratios, len(grids), evidence, input_norm)
    return tuple(
        Residual(
            Complexity(
                log_rho + float(whole.log_excess[grid]),
                float(whole.constant[grid]),
                whole.kind,
                network.outputs,
                whole.energy,
                float(whole.mean_paths[grid]),
                of.layers,
            ),
            grid_cost([values[grid][1] for values in rounded.values()])
            + math.log(len(grids)),
            per,
            len(ratios),
            whole.routes,
        )
        for grid, per in enumerate(grids)
    )
