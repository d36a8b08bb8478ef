"""P4 Example 3.1: a point that gradient descent only stretches, and the way out of it.

For an even number K of classes and any n: classes come in pairs, ``+b`` and ``-b`` of
orthogonal directions. The score of the true class is q, that of its pair -q, and those of
all others are 0, so that the smallest margin is q, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from boundkit.lab.dynamics.layer_peeled_paths import Point

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from boundkit.lab.dynamics.layer_peeled_paths import Model
    from boundkit.measure.layer_peeled import LayerPeeled

    Numbers = NDArray[np.float64]

__all__ = ["Saddle", "escape", "measured", "pull", "saddle_of"]

#: Angle between losses whose differences give a curvature.
_SMALL = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Saddle:
    """The point of Example 3.1, the way out of it, and where a run begins.

    Attributes:
        center: The point itself.
        out: Unit direction of Theorem 3.4, orthogonal to the point, flat.
        begin: The point turned by an angle towards ``out``.
        loss: Summed, at the center.
        curvature: Second derivative of the summed loss by the angle; P4 (C.8).
        bend: The same, from losses on the circle.
        slope: First derivative, from losses on the circle.
        pull: ``<grad L, theta> / ||theta||^2`` of the summed loss at the center.
        circle: (A, 2) angle and summed loss along the great circle.
    """

    center: Point
    out: Numbers
    begin: Point
    loss: float
    curvature: float
    bend: float
    slope: float
    pull: float
    circle: Numbers

    def angle(self, state: Numbers) -> float:
        """Return how far a flat state has turned from the center towards ``out``."""
        along = float(state @ self.center.flat) / self.center.radius
        return math.atan2(float(state @ self.out), along)

    def margin(self, state: Numbers, per_class: int) -> float:
        """Return q of the part of a flat state along the center."""
        stretch = float(state @ self.center.flat) / self.center.radius**2
        classes = len(self.center.weight)
        whole = (stretch * self.center.radius) ** 2
        return whole / (2 * classes * math.sqrt(per_class))


def saddle_of(model: Model, scale: float, offset: float) -> Saddle:
    """Return the saddle of a model, and a start on the circle through it.

    Args:
        model: Of an even number of classes, at least 4, in as many dimensions or more.
        scale: Of the point; with 1, K = 4 and n = 1 it is Example 3.1 as printed.
        offset: Angle in radians of the start.
    """
    center = _center(model, scale)
    found, radius = measured(model, center), center.radius

    def turned(angle: float) -> Point:
        moved = found.moved(*_tensors(model, center), angle * radius)
        if moved is None:
            return center
        return Point(*(each.numpy() for each in moved))

    def loss(angle: float) -> float:
        value = measured(model, turned(angle))["loss"]
        return math.nan if value is None else value

    below, here, above = (loss(angle) for angle in (-_SMALL, 0.0, _SMALL))
    told = found.descent.curvature
    angles = np.linspace(0, math.pi / 2, 61)
    return Saddle(
        center=center,
        out=turned(math.pi / 2).flat / radius,
        begin=turned(offset),
        loss=here,
        curvature=math.nan if told is None else told * radius**2,
        bend=(below - 2 * here + above) / _SMALL**2,
        slope=(above - below) / (2 * _SMALL),
        pull=_pull(model, center),
        circle=np.array([[angle, loss(float(angle))] for angle in angles]),
    )


def _center(model: Model, scale: float) -> Point:
    pairs = np.kron(np.eye(model.classes // 2), np.array([[1.0, -1.0], [-1.0, 1.0]]))
    rows = np.zeros((model.classes, model.width))
    rows[:, : model.classes] = scale * pairs
    # The gradient is radial only where classifier and features are of one norm.
    even = model.per_class**0.25
    return Point(even * rows, rows[model.labels] / even)


def _pull(model: Model, center: Point) -> float:
    """Return lam of the summed loss, from its gradient."""
    downhill = model.slope()(0.0, center.flat) / model.share
    return -float(downhill @ center.flat) / center.radius**2


def measured(model: Model, point: Point) -> LayerPeeled:
    """Return what ``boundkit.ulpm`` says of a point.

    Args:
        model: Its shape.
        point: Classifier and features.
    """
    from boundkit.measure.peeled_arrays import ulpm

    return ulpm(point.features, model.labels, point.weight)


def _tensors(model: Model, point: Point) -> tuple[Tensor, Tensor]:
    import torch

    return torch.from_numpy(point.features), torch.from_numpy(model.labels)


def pull(classes: int, per_class: int, margin: float) -> float:
    """Return -lam at the saddle, ``grad L = lam theta``: how fast it is stretched.

    ``sqrt(n) (2 p_pair + (K - 2) p_other)``; P4 Example 3.1, its denominator corrected.

    Args:
        classes: K.
        per_class: n.
        margin: q.
    """
    other, pair = math.exp(-margin), math.exp(-2 * margin)
    total = 1 + pair + (classes - 2) * other
    return math.sqrt(per_class) * (2 * pair + (classes - 2) * other) / total


def escape(classes: int, first: float, last: float) -> float:
    """Return by how much the logarithm of a small angle grows while q does.

    Off the saddle, gradient flow grows by s, the largest singular value of the gradient
    in the outputs, and along it by -lam, so that ``d log tan(angle) = (s / -lam - 1)
    dq / (2 q)`` with ``s / -lam = K / (K - 2 + 2 exp(-q))``. As q grows, the angle does as
    ``q^(1 / (K - 2))``, and q as log t: the way out is slow.

    Args:
        classes: K.
        first: q at the beginning.
        last: q at the end.
    """
    from scipy.integrate import quad

    def rate(log: float) -> float:
        margin = math.exp(log)
        less = math.exp(-margin)
        return -math.expm1(-margin) / (classes - 2 + 2 * less)

    return float(quad(rate, math.log(first), math.log(last), epsabs=1e-12)[0])
