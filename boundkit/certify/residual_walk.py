"""The routes of a network with additions, followed from the output back to the input.

Routes that meet with equal path counts and coins go on as one, so that R blocks of one
geometry make R + 1 routes, not 2^R.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from boundkit.certify.stages import all_pulled_through
from boundkit.errors import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from boundkit.certify.residual_steps import Step, Steps

__all__ = ["Route", "routes"]

#: Different routes beyond which a network is not covered: those of 12 unlike blocks.
_MOST = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One or several ways from the output back to a node, alike in all but weight.

    Attributes:
        counts: Paths from every position of the node to the output.
        coins: Probability of heads of each nonlinear block passed, largest first.
        sealed: Whether ``coins`` holds those still to come, too.
        constants: Paths from the constants of biases to the output, each times its
            square.
        log_weight: (m,) logarithm of the product of ratios, per grid of ratios.
        first: Paths from the output positions of the layer that reads the input; None
            where there is none on the route.
        main: Whether it takes the main input at every addition.
    """

    counts: NDArray[np.float64]
    coins: tuple[float, ...]
    sealed: bool
    constants: float
    log_weight: NDArray[np.float64]
    first: NDArray[np.float64] | None = None
    main: bool = True


def _key(route: Route) -> tuple[object, ...]:
    first = None if route.first is None else route.first.tobytes()
    shape = route.counts.shape
    counts = route.counts.tobytes()
    return route.coins, route.sealed, route.constants, shape, counts, first, route.main


def _merged(one: Route | None, other: Route) -> Route:
    if one is None:
        return other
    total = np.logaddexp(one.log_weight, other.log_weight)
    return replace(one, log_weight=np.asarray(total, np.float64))


def _before(
    route: Route,
    step: Step,
    squares: Mapping[str, float],
    counts: NDArray[np.float64],
) -> Route:
    """Return the route one step further back, at the input of a single node."""
    coins, sealed, constants = route.coins, route.sealed, route.constants
    if step.constant:
        constants += squares[step.name] * float(route.counts.sum())
    if not sealed:
        more = step.coins if step.sealed is None else step.sealed
        coins = tuple(sorted((*coins, *more), reverse=True))
        sealed = step.sealed is not None
    first = route.counts if step.first else route.first
    return Route(counts, coins, sealed, constants, route.log_weight, first, route.main)


def _split(
    route: Route,
    step: Step,
    log_ratios: Mapping[tuple[str, int], NDArray[np.float64]],
) -> Iterator[tuple[str, Route]]:
    for number, source in enumerate(step.inputs):
        if number == step.main:
            yield source, route
        else:
            # A constant is added once: it goes with the main input.
            yield (
                source,
                replace(
                    route,
                    constants=0.0,
                    log_weight=route.log_weight + log_ratios[step.name, number],
                    main=False,
                ),
            )


def _onward(
    here: tuple[Route, ...],
    step: Step,
    log_ratios: Mapping[tuple[str, int], NDArray[np.float64]],
    squares: Mapping[str, float],
) -> Iterator[tuple[str, Route]]:
    if len(step.inputs) > 1:
        for route in here:
            yield from _split(route, step, log_ratios)
        return
    counts = [route.counts for route in here]
    if step.stage is not None:
        counts = all_pulled_through(step.stage, counts)
    for route, each in zip(here, counts, strict=True):
        yield step.inputs[0], _before(route, step, squares, each)


def routes(
    of: Steps,
    log_ratios: Mapping[tuple[str, int], NDArray[np.float64]],
    grids: int,
    squares: Mapping[str, float],
) -> tuple[Route, ...]:
    """Return all routes from the output to the input.

    Args:
        of: The network.
        log_ratios: (addition, number of a summand that is not the main one) -> (grids,)
            logarithm of its scale over that of the main summand.
        grids: How many grids of ratios are tried at once.
        squares: Name of each node that adds a constant -> how large it counts, squared.

    Returns:
        Routes at the input; those alike in counts and coins are added up.

    Raises:
        NotApplicable: There are more than 4096 different ones.
    """
    start = Route(
        np.ones(()), (), sealed=False, constants=0.0, log_weight=np.zeros(grids)
    )
    waiting: dict[str, dict[tuple[object, ...], Route]] = {
        of.last: {_key(start): start}
    }
    for step in reversed(of.steps):
        here = tuple(waiting.pop(step.name, {}).values())
        for source, further in _onward(here, step, log_ratios, squares):
            there = waiting.setdefault(source, {})
            key = _key(further)
            there[key] = _merged(there.get(key), further)
            if len(there) > _MOST:
                raise NotApplicable(
                    f"more than {_MOST} different routes lead through the additions"
                )
    return tuple(waiting[of.source].values())
