"""Gradient descent of a small net beside gradient flow and the second-order model."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import UsageError
from boundkit.lab.dynamics.checks import Check, at_most, equal, open_claim, residual
from boundkit.lab.dynamics.second_order import (
    RTOL,
    Track,
    descended,
    first_order_track,
    second_order_track,
    step_counts,
)
from boundkit.lab.dynamics.simulation import Chart, Column, Panel, Series, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.lab.dynamics.flow_net import Sample
    from boundkit.lab.dynamics.simulation import Progress

    Numbers = NDArray[np.float64]

__all__ = ["Comparison", "compared"]

#: Steps of descent at most, the second run with half the rate counted.
_MOST_STEPS = 300_000
_BLANK = "the path ended before"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Descent beside its two models.

    Attributes:
        table: Of all three.
        checks: What P0 says of them.
        chart: Of rho and of distances.
        stopped: Why one of them ends early, or None.
    """

    table: Table
    checks: tuple[Check, ...]
    chart: Chart
    stopped: str | None


@dataclass(frozen=True, slots=True, eq=False)
class _Race:
    """Descent and its models with one learning rate, at the same times."""

    descent: Track
    flow: Track
    second: Track

    def distances(self, model: Track) -> Numbers:
        """Return the norm of the difference at each time that both reach."""
        both = min(len(self.descent.times), len(model.times))
        gaps: Numbers = np.linalg.norm(
            self.descent.states[:both] - model.states[:both], axis=1
        )
        return gaps

    @property
    def stopped(self) -> str | None:
        """Why one of them ends early, or None."""
        tracks = (self.descent, self.flow, self.second)
        return next((one.stopped for one in tracks if one.stopped), None)


def compared(
    rho: float,
    layers: Sequence[Numbers],
    sample: Sample,
    decay: float,
    rate: float,
    end: float,
    points: int,
    progress: Progress | None,
) -> Comparison:
    """Take descent with a rate and with half of it, and follow both models beside it.

    Args:
        rho: At the start.
        layers: V_k at the start.
        sample: Inputs and signs.
        decay: lam.
        rate: eta.
        end: Time; steps times rate.
        points: Times to look at, at most.
        progress: Told of what is done.

    Raises:
        UsageError: More steps than can be waited for, or less than one.
    """
    if not rate <= end:
        raise UsageError(
            f"rate must be at most the time {end:g}, so that there is a step, but got"
            f" {rate}"
        )
    if 3 * end / rate > _MOST_STEPS:
        raise UsageError(
            f"rate {rate:g} takes {3 * end / rate:,.0f} steps to time {end:g} and back at"
            f" half the rate, above {_MOST_STEPS:,}; give a larger rate or less --time"
        )
    counts = step_counts(end, rate, points)

    def race(step: float, looks: NDArray[np.int64]) -> _Race:
        descent = descended(rho, layers, sample, decay, step, looks, progress)
        times = np.asarray(looks * step, np.float64)
        start = (rho, layers, sample, decay)
        return _Race(
            descent,
            first_order_track(*start, times, progress),
            second_order_track(*start, step, times, progress),
        )

    whole = race(rate, counts)
    half = None if whole.stopped else race(rate / 2, 2 * counts)
    return Comparison(
        table=_table(whole, counts),
        checks=_checks(whole, half, rate),
        chart=_chart(whole, rate),
        stopped=whole.stopped,
    )


def _table(race: _Race, counts: NDArray[np.int64]) -> Table:
    length = max(len(one.times) for one in (race.descent, race.flow, race.second))

    def filled(values: Numbers) -> Numbers:
        return np.pad(values, (0, length - len(values)), constant_values=np.nan)

    def rho(name: str, what: str, track: Track) -> Column:
        return Column(name, "1", what, filled(track.states[:, 0]), _BLANK)

    def gap(name: str, what: str, track: Track) -> Column:
        return Column(name, "1", what, filled(race.distances(track)), _BLANK)

    longest = max(
        (race.descent, race.flow, race.second), key=lambda one: len(one.times)
    )
    return Table(
        "descent",
        (
            Column("time", "1/loss", "steps times rate", longest.times),
            Column("step", "steps", "of descent", counts[:length].astype(np.float64)),
            rho("rho_descent", "rho of descent; P1 (46), all samples", race.descent),
            rho("rho_flow", "rho of gradient flow; P1 (5), (6)", race.flow),
            rho("rho_second", "rho of the second-order flow; P0 (20)", race.second),
            gap("flow_distance", "norm of (rho, V) less that of descent", race.flow),
            gap("second_distance", "as flow_distance, of P0 (20), (21)", race.second),
        ),
    )


def _checks(race: _Race, half: _Race | None, rate: float) -> tuple[Check, ...]:
    norms = residual(
        "unit norms, second order",
        "(21) with - (eta/2) ||V_k'||^2 V_k keeps ||V_k|| = 1: largest deviation",
        "P0 (21), completed",
        race.second.norm_error,
        100 * RTOL,
    )
    closer = (
        "second order",
        f"at rate {rate:g}, the second-order flow is nearer to descent than gradient flow",
        "P0 6",
    )
    if race.descent.stopped or half is None or half.stopped:
        reason = (
            race.stopped or (half.stopped if half else None) or "not all was followed"
        )
        return norms, open_claim(*closer, reason)
    falls = at_most(
        "loss of descent",
        f"at rate {rate:g}, no step of descent raises the loss: share that does",
        "descent with a rate below 2 over the curvature",
        0.0,
        race.descent.rising,
        0.0,
    )
    flow, second = (race.distances(one).max() for one in (race.flow, race.second))
    return (
        norms,
        falls,
        at_most(*closer, float(flow), float(second), 0.0),
        _order("order of gradient flow", "flow", 1, race, half),
        _order("order of the second-order flow", "second", 2, race, half),
    )


def _order(name: str, model: str, predicted: int, race: _Race, half: _Race) -> Check:
    """Return how a distance from descent falls when the rate is halved."""
    told = (
        name,
        "half the rate, and the largest distance from descent falls by two to this power",
        "P0 6; modified equation of descent",
    )
    large = float(race.distances(getattr(race, model)).max())
    small = float(half.distances(getattr(half, model)).max())
    if race.descent.rising > 0:
        reason = (
            f"descent oscillates, its loss rises at {100 * race.descent.rising:.1f} % of"
            " the steps; give a smaller --rate"
        )
        return open_claim(*told, reason, predicted=predicted, found=log2(large / small))
    if not small > 100 * RTOL:
        return open_claim(*told, "the distance is within the solver's tolerance")
    return equal(*told, predicted, log2(large / small), 0.35, relative=False)


def _chart(race: _Race, rate: float) -> Chart:
    tracks = (
        ("descent", race.descent),
        ("flow", race.flow),
        ("second order", race.second),
    )
    styles = {"descent": "points", "flow": "line", "second order": "dashed"}
    return Chart(
        "flow-descent",
        f"Gradient descent with rate {rate:g} and its models",
        (
            Panel(
                "time = steps x rate",
                "rho",
                tuple(
                    Series(name, one.times, one.states[:, 0], styles[name])  # type: ignore[arg-type] # a literal of Series
                    for name, one in tracks
                ),
                log_x=True,
                title="product of norms",
            ),
            Panel(
                "time = steps x rate",
                "norm of the difference",
                tuple(
                    Series(
                        f"descent - {name}",
                        race.descent.times[: len(gaps)],
                        gaps,
                    )
                    for name, one in tracks[1:]
                    for gaps in (race.distances(one),)
                ),
                log_x=True,
                log_y=True,
                title="distance of (rho, V)",
            ),
        ),
    )
