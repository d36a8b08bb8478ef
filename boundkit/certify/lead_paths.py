"""Path counts that depend on the architecture alone, one way for every node.

They fix in advance how large constants of biases count and how ratios are put on their
grid. From a node to the output leads the way with the fewest layers; from the input to a
node the way that takes the main summand of every addition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.stages import pulled_through, pushed_through

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from boundkit.certify.residual_steps import Step, Steps

    Vector = NDArray[np.float64]

__all__ = ["LeadPaths", "lead_paths"]


@dataclass(frozen=True, slots=True, eq=False)
class LeadPaths:
    """What is counted along these ways.

    Attributes:
        constants: Name of a node that adds a constant -> paths from it to the output.
        log_spread: (addition, number of a summand that is not the main one) ->
            logarithm of the root of the paths through it over those through the main.
        inputs: Paths from every input position along the main way.
        main: Nodes on the main way.
    """

    constants: Mapping[str, float]
    log_spread: Mapping[tuple[str, int], float]
    inputs: Vector
    main: frozenset[str]


def _ahead(of: Steps) -> dict[str, Vector]:
    # Paths to the output from the positions of every node.
    found: dict[str, tuple[int, Vector]] = {of.last: (0, np.ones(()))}
    for step in reversed(of.steps):
        if step.name not in found:
            continue
        layers, counts = found[step.name]
        layers += step.layer is not None
        if step.stage is not None:
            counts = pulled_through(step.stage, counts)
        for source in step.inputs:
            # The first reader in forward order wins ties.
            if source not in found or layers <= found[source][0]:
                found[source] = layers, counts
    return {name: counts for name, (_, counts) in found.items()}


def _behind(of: Steps, inputs: int) -> dict[str, Vector]:
    # Paths from the input to the positions of every node, mean over its positions.
    found: dict[str, Vector] = {of.source: np.full(inputs, 1 / inputs)}
    for step in of.steps:
        values = found[step.inputs[step.main]]
        if step.stage is not None:
            values = pushed_through(step.stage, values)
        found[step.name] = values
    return found


def _log_spread(
    step: Step, number: int, ahead: Vector, behind: dict[str, Vector]
) -> float:
    through = [
        float(np.vdot(ahead.ravel(), behind[step.inputs[n]].ravel()))
        for n in (number, step.main)
    ]
    # Counts that vanish or leave the floats say nothing; any spread is allowed.
    if not all(0 < paths < math.inf for paths in through):
        return 0.0
    return 0.5 * (math.log(through[0]) - math.log(through[1]))


def _main_way(of: Steps) -> tuple[Vector, frozenset[str]]:
    counts: Vector = np.ones(())
    by_name = {step.name: step for step in of.steps}
    met: set[str] = set()
    name = of.last
    while name != of.source:
        met.add(name)
        step = by_name[name]
        if step.stage is not None:
            counts = pulled_through(step.stage, counts)
        name = step.inputs[step.main]
    return counts, frozenset(met)


def lead_paths(of: Steps) -> LeadPaths:
    """Return the counts along one way for every node.

    Args:
        of: The network.
    """
    inputs, main = _main_way(of)
    ahead, behind = _ahead(of), _behind(of, inputs.size)
    constants = {
        step.name: float(ahead[step.name].sum())
        for step in of.steps
        if step.constant and step.name in ahead
    }
    spread = {
        (step.name, number): _log_spread(step, number, ahead[step.name], behind)
        for step in of.steps
        if step.name in ahead
        for number in range(len(step.inputs))
        if number != step.main
    }
    return LeadPaths(constants, spread, inputs, main)
