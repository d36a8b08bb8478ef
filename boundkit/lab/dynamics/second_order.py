"""Gradient descent beside its models in continuous time, P0 (20) to (27).

P0 puts ``(eta/2) x'' + x'`` for the ``x'`` of gradient flow. For the layers this is
``(eta/2) V_k'' + V_k' = F_k - (eta/2) ||V_k'||^2 V_k`` with the tangent flow F_k of P1 (5):
the last term, which P0 (21) leaves out, is what keeps ``||V_k|| = 1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.flow_net import fixed_norm_slopes, joined, split
from boundkit.lab.dynamics.solving import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.lab.dynamics.flow_net import Sample
    from boundkit.lab.dynamics.simulation import Progress

    Numbers = NDArray[np.float64]

__all__ = [
    "RTOL",
    "Track",
    "descended",
    "first_order_track",
    "second_order_track",
    "step_counts",
]

#: Where descent with a rate is stable, so is an explicit solver with such steps, and its
#: error is then far below the tolerance that the comparison needs.
_SOLVER, RTOL, _ATOL = "RK45", 1e-7, 1e-10
#: rho beyond which descent is said to diverge, in units of the largest of 1 and its start.
_BEYOND = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """States (rho, V_1, ..., V_L) at some times.

    Attributes:
        times: (T,).
        states: (T, 1 + P), flat.
        norm_error: Largest | ||V_k|| - 1 | met.
        stopped: Why the track ends early, or None.
        rising: Share of the steps at which the loss rose; 0 for flows.
    """

    times: Numbers
    states: Numbers
    norm_error: float
    stopped: str | None
    rising: float = 0.0


def step_counts(end: float, rate: float, points: int) -> NDArray[np.int64]:
    """Return 0 and increasing numbers of steps until the end, nearly of equal ratios.

    Args:
        end: Time; a step takes the learning rate.
        rate: Learning rate.
        points: At most so many after 0.
    """
    last = max(round(end / rate), 1)
    spread = np.geomspace(max(1, last / 1000), last, points)
    return np.unique(np.concatenate([[0], np.rint(spread)]).astype(np.int64))


def descended(
    rho: float,
    layers: Sequence[Numbers],
    sample: Sample,
    decay: float,
    rate: float,
    counts: NDArray[np.int64],
    progress: Progress | None = None,
) -> Track:
    """Take steps of P1 (46) with its signs mended, all samples in each, norms made 1 again.

    Args:
        rho: At the start.
        layers: V_k at the start.
        sample: Inputs and signs.
        decay: lam.
        rate: Learning rate.
        counts: (T,) steps after which to look, from 0 on.
        progress: Told of the steps taken.
    """
    now, parts = rho, [layer.copy() for layer in layers]
    states, times, stopped = [], [], None
    losses: list[float] = []
    limit = _BEYOND * max(1.0, abs(rho))
    wanted = set(counts.tolist())
    for step in range(int(counts[-1]) + 1):
        if step in wanted:
            states.append(np.concatenate([[now], joined(parts)]))
            times.append(step * rate)
            if progress is not None:
                progress(step, int(counts[-1]), "gradient descent")
        slopes = fixed_norm_slopes(now, parts, sample, decay)
        losses.append(
            float(np.mean((1 - now * slopes.margins) ** 2)) + decay * now * now
        )
        now += rate * slopes.rho
        parts = [
            part + rate * slope
            for part, slope in zip(parts, slopes.layers, strict=True)
        ]
        parts = [part / np.linalg.norm(part) for part in parts]
        if not abs(now) < limit:
            stopped = (
                f"gradient descent with rate {rate:g} diverged at step {step + 1:,}"
            )
            break
    rising = float((np.diff(losses) > 0).mean()) if len(losses) > 1 else 0.0
    return Track(np.array(times), np.stack(states), 0.0, stopped, rising)


def first_order_track(
    rho: float,
    layers: Sequence[Numbers],
    sample: Sample,
    decay: float,
    times: Numbers,
    progress: Progress | None = None,
) -> Track:
    """Follow P1 (5) and (6), the flow that both others are compared with.

    Args:
        rho: At the start.
        layers: V_k at the start.
        sample: Inputs and signs.
        decay: lam.
        times: (T,) to look at, from 0 on.
        progress: Told of the times reached.
    """
    shapes = [layer.shape for layer in layers]

    def slope(_: float, state: Numbers) -> Numbers:
        flow = fixed_norm_slopes(state[0], split(state[1:], shapes), sample, decay)
        return np.concatenate([[flow.rho], joined(flow.layers)])

    found = solve(
        slope,
        np.concatenate([[rho], joined(layers)]),
        times,
        solver=_SOLVER,
        rtol=RTOL,
        atol=_ATOL,
        progress=progress,
        what="gradient flow",
    )
    stopped = found.stopped and f"gradient flow, {found.stopped}"
    return Track(found.times, found.rows, _worst_norm(found.rows, shapes), stopped)


def _worst_norm(rows: Numbers, shapes: Sequence[tuple[int, int]]) -> float:
    return max(
        abs(float(np.linalg.norm(layer)) - 1)
        for row in rows
        for layer in split(row[1:], shapes)
    )


def second_order_track(
    rho: float,
    layers: Sequence[Numbers],
    sample: Sample,
    decay: float,
    rate: float,
    times: Numbers,
    progress: Progress | None = None,
) -> Track:
    """Follow P0 (20), (21), from the velocity of gradient flow.

    Args:
        rho: At the start.
        layers: V_k at the start.
        sample: Inputs and signs.
        decay: lam.
        rate: eta, the learning rate.
        times: (T,) to look at, from 0 on.
        progress: Told of the times reached.
    """
    shapes = [layer.shape for layer in layers]
    half = 1 + sum(layer.size for layer in layers)

    def slope(_: float, state: Numbers) -> Numbers:
        place, velocity = state[:half], state[half:]
        flow = fixed_norm_slopes(place[0], split(place[1:], shapes), sample, decay)
        kept = [
            push - (rate / 2) * np.vdot(move, move) * layer
            for push, move, layer in zip(
                flow.layers,
                split(velocity[1:], shapes),
                split(place[1:], shapes),
                strict=True,
            )
        ]
        force = np.concatenate([[flow.rho], joined(kept)])
        return np.concatenate([velocity, (2 / rate) * (force - velocity)])

    begin = fixed_norm_slopes(rho, layers, sample, decay)
    start = np.concatenate([
        [rho], joined(layers), [begin.rho], joined(begin.layers)
    ])  # fmt: skip
    found = solve(
        slope,
        start,
        times,
        solver=_SOLVER,
        rtol=RTOL,
        atol=_ATOL,
        watch=lambda _, state: state[:half].copy(),
        progress=progress,
        what="second-order flow",
    )
    stopped = found.stopped and f"second-order flow, {found.stopped}"
    return Track(found.times, found.rows, _worst_norm(found.rows, shapes), stopped)
