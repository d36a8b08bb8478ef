"""What is watched along a path of the layer-peeled model: one row at each step or time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.layer_peeled_saddle import measured
from boundkit.lab.dynamics.simulation import Column, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.lab.dynamics.layer_peeled_paths import Model, Point
    from boundkit.lab.dynamics.layer_peeled_saddle import Saddle

    Numbers = NDArray[np.float64]

__all__ = ["METRICS", "Path", "Start", "path_of", "watched"]

#: The four metrics of P4 section 4, two of them for features and for classifiers.
METRICS = {
    "nc2_equinorm_means": "spread of the norms of centered class means; metric 1",
    "nc2_equinorm_weights": "spread of the norms of classifier rows; metric 1",
    "nc1_distance": "mean ||h - mean of its class|| over mean ||h - mean||; metric 2",
    "nc2_max_angle_means": "mean |cos + 1/(K-1)| of class means; metric 3",
    "nc2_max_angle_weights": "mean |cos + 1/(K-1)| of classifier rows; metric 3",
    "nc3_per_class": "mean distance of unit classifiers and unit means; metric 4",
}
_PEELED = {
    "loss": "cross-entropy summed over samples; P4 (2.3)",
    "log10_loss": "logarithm of the loss",
    "log10_loss_bound": "of the smallest loss at this norm; P4 Theorem 3.3",
    "least_margin": "smallest margin q; P4 section 3.1",
    "margin_efficiency": "q over the largest at this norm; P4 Theorem 3.1",
    "gamma_tilde": "smoothed margin -log(exp(L) - 1) / ||theta||^2; P4 Lemma B.2",
    "alignment": "cosine beta of theta and minus the gradient; P4 Lemma B.1",
    "kkt_residual": "||theta - sum of multipliers times gradients||, exact",
    "kkt_epsilon": "its bound; P4 Lemma B.1",
    "complementarity": "largest multiplier times slack, exact",
    "kkt_delta": "its bound; P4 Lemma B.1",
}
_OWN = {
    "radius": "||theta|| = sqrt(||W||^2 + ||H||^2)",
    "balance": "(||W||^2 - ||H||^2) / ||theta||^2; P4 Theorem 3.1",
    "conserved": "||C - C(0)|| over ||theta||^2 or 1, C = W^T W - H H^T",
    "angle": "from the saddle's ray, along the direction of P4 Theorem 3.4, in radians",
    "ray_margin": "q of the part along the saddle's ray",
}
_ABSENT = (
    "where q, or log 2 less the summed loss, is not positive, and where it overflows"
)


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What a path is held against.

    Attributes:
        conserved: (d, d) ``W^T W - H H^T`` at the start, which gradient flow keeps.
        saddle: Where the path starts near one, or None.
    """

    conserved: Numbers
    saddle: Saddle | None

    @classmethod
    def of(cls, point: Point, saddle: Saddle | None) -> Start:
        """Take down the start of a path.

        Args:
            point: The start.
            saddle: Near it, or None.
        """
        return cls(_conserved(point), saddle)


def _conserved(point: Point) -> Numbers:
    found: Numbers = point.weight.T @ point.weight - point.features.T @ point.features
    return found


def watched(model: Model, point: Point, start: Start) -> Numbers:
    """Return one row of numbers, in the order of the table.

    Args:
        model: Shape of the point.
        point: Classifier and features, finite.
        start: Of the path.
    """
    from boundkit.collapsing import collapse

    peeled = measured(model, point)
    found = collapse(point.features, model.labels, point.weight)
    values = [*(peeled[name] for name in _PEELED), *(found[name] for name in METRICS)]
    known = [np.nan if value is None else value for value in values]
    return np.array([*_own(model, point, start), *known])


def _own(model: Model, point: Point, start: Start) -> tuple[float, ...]:
    square, saddle = point.radius**2, start.saddle
    own = float(np.linalg.norm(point.weight)) ** 2
    drift = float(np.linalg.norm(_conserved(point) - start.conserved))
    angle = margin = math.nan
    if saddle is not None:
        angle = saddle.angle(point.flat)
        margin = saddle.margin(point.flat, model.per_class)
    kept = drift / max(square, 1.0)
    return point.radius, (2 * own - square) / square, kept, angle, margin


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """What was watched, as arrays.

    Attributes:
        clock: Name, unit and meaning of the first column.
        ticks: (T,) steps, or times.
        logs: (T,) log(1 + t).
        named: Name -> (T,).
        saddle: Near the start, or None.
    """

    clock: tuple[str, str, str]
    ticks: Numbers
    logs: Numbers
    named: dict[str, Numbers]
    saddle: Saddle | None

    @property
    def is_flow(self) -> bool:
        """Whether this is gradient flow, not descent."""
        return self.clock[0] == "time"

    def table(self) -> Table:
        """Return the path as a table, the step or time first."""
        told = _OWN | _PEELED | METRICS
        columns = [
            Column(name, "1", told[name], values, _ABSENT)
            for name, values in self.named.items()
            if not (self.saddle is None and name in {"angle", "ray_margin"})
        ]
        return Table("path", (Column(*self.clock, self.ticks), *columns))


def path_of(
    clock: tuple[str, str, str],
    ticks: Numbers,
    logs: Numbers,
    rows: Numbers,
    saddle: Saddle | None,
) -> Path:
    """Arrange watched rows.

    Args:
        clock: Name, unit and meaning of the first column.
        ticks: (T,) steps, or times.
        logs: (T,) log(1 + t).
        rows: (T, ...) of ``watched``.
        saddle: Near the start, or None.
    """
    names = (*_OWN, *_PEELED, *METRICS)
    named = {name: rows[:, at] for at, name in enumerate(names)}
    return Path(clock, ticks, logs, named, saddle)
