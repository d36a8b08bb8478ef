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

from boundkit.certify.energies import energy_through
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

__all__ = ["Combined", "combined", "scales"]


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """The sum over routes, for one or several vectors of ratios, the main one first.

    Attributes:
        counts: Per route, paths from each input position to the output.
        means: (routes,) their means.
        weights: (routes, grids) K of each route times the ratios it takes.
        energies: (routes,) of the inputs that reach the output, per sample.
        constants: (routes,) energy of constants of scale 1.
        log_weights: (routes, grids) logarithm of the product of ratios.
        log_excess: (grids,) what is taken out of weights and goes into rho.
        kind: Where K comes from, in words.
    """

    counts: tuple[Vector, ...]
    means: Vector
    weights: Vector
    energies: Vector
    constants: Vector
    log_weights: Vector
    log_excess: Vector
    kind: str

    def form(self, grid: int, constants: float) -> tuple[float, float, float]:
        """Return K, the energy it multiplies and the mean number of paths, on one grid.

        Args:
            grid: Its number.
            constants: The squared scale of all constants.
        """
        energies = self.energies + constants * self.constants
        base = max(float(energies[0]), 1e-300)
        ratios = np.exp(self.log_weights[:, grid] - self.log_excess[grid])
        mean = float(np.sqrt(self.means + constants * self.constants) @ ratios) ** 2
        return float(np.sqrt(energies / base) @ self.weights[:, grid]), base, mean


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _joint(log_scale: float, constant: float) -> float:
    """Return log of ``P sqrt(norm^2 + (constant / P)^2)`` from that of ``P norm``."""
    return 0.5 * float(np.logaddexp(2 * log_scale, 2 * _log(constant)))


def _grown(
    step: Step,
    head: str | None,
    network: Network,
    norms: Norms,
    log_scale: float,
    inverse: float,
) -> float:
    # The logarithm of the scale behind a node of one input.
    if step.normalizes:
        if step.name not in norms.affine:
            raise NotApplicable(f"normalization layer {step.name}: numbers are missing")
        factor, shift = norms.affine[step.name]
        return _joint(log_scale + _log(factor), shift * inverse)
    if step.layer is None:
        return log_scale + math.log(step.factor)
    weight, bias = norms.weight[step.layer], norms.bias.get(step.layer, 0.0)
    if step.name == head and norms.head is not None:
        weight, bias = norms.head, norms.head_bias
    elif step.name == head and network.outputs == 2:
        # The difference of two rows is at most sqrt(2) times the norm of both.
        weight, bias = weight * math.sqrt(2), bias * math.sqrt(2)
    return _joint(log_scale + _log(weight), bias * inverse)


def scales(
    of: Steps, network: Network, norms: Norms, squares: Mapping[str, float]
) -> tuple[float, dict[tuple[str, int], float]]:
    """Return the logarithms of the scale of the output, and of the ratios at additions.

    Args:
        of: The network.
        network: The same.
        norms: Of its weights.
        squares: Name of each node that adds a constant -> how large it counts, squared.

    Raises:
        NotApplicable: A layer that every route passes is zero, or numbers are missing.
    """
    log_scale = {of.source: 0.0}
    ratios: dict[tuple[str, int], float] = {}
    for step in of.steps:
        before = [log_scale[name] for name in step.inputs]
        if len(before) == 1:
            inverse = squares[step.name] ** -0.5 if step.constant else 0.0
            log_scale[step.name] = _grown(
                step, of.head, network, norms, before[0], inverse
            )
            continue
        log_scale[step.name] = before[step.main]
        for number, scale in enumerate(before):
            if number != step.main:
                ratios[step.name, number] = scale - before[step.main]
    if not math.isfinite(log_scale[of.last]):
        raise NotApplicable("a layer that every route passes is zero")
    return log_scale[of.last], ratios


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


def _kind(found: int, of: Steps) -> str:
    ways = f"sum over {found} kinds of routes"
    if any(step.sealed is not None for step in of.steps):
        return f"{ways}, with the coins of the longest"
    return f"{ways}, each with its own"


def combined(
    of: Steps,
    network: Network,
    log_ratios: Mapping[tuple[str, int], Vector],
    squares: Mapping[str, float],
    evidence: Evidence | None,
    input_norm: float,
) -> Combined:
    """Return the sum over all routes for networks whose main scale is 1.

    Args:
        of: The network.
        network: The same.
        log_ratios: (addition, number of a summand that is not the main one) -> (grids,)
            logarithm of an upper bound on its scale over that of the main summand.
        squares: Name of each node that adds a constant -> how large it counts, squared.
        evidence: The training sample, or None.
        input_norm: The norm that inputs are taken to stay below, without data.

    Raises:
        NotApplicable: There are too many routes, or paths.
    """
    grids = max((values.size for values in log_ratios.values()), default=1)
    unsorted = routes(of, log_ratios, grids, squares)
    found = sorted(unsorted, key=lambda route: not route.main)
    plain = (network.outputs or 1) <= 2 and not any(s.constant for s in of.steps)
    dense = _one_position(of)
    energies = [energy_through(r.counts, evidence, input_norm) for r in found]
    constants = [_constant(r, evidence, plain=plain, dense=dense) for r in found]
    offsets = np.array([route.constants for route in found])
    if not np.isfinite([*energies, *offsets]).all():
        raise NotApplicable("the paths through the additions are too many for a float")
    logs = np.array([route.log_weight for route in found])
    # Ratios too large for a float go into rho, which leaves every product as it is.
    excess = np.where(logs.max(axis=0) > 200, logs.max(axis=0), 0.0)
    return Combined(
        tuple(route.counts for route in found),
        np.array([float(np.mean(route.counts)) for route in found]),
        np.array(constants)[:, None] * np.exp(logs - excess),
        np.array(energies),
        offsets,
        logs,
        excess,
        _kind(len(found), of),
    )
