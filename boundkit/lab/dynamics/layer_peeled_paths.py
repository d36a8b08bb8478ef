"""Gradient descent and gradient flow of the unconstrained layer-peeled model.

P4: Ji, Lu, Zhang, Deng, Su (2022), "An unconstrained layer-peeled perspective on neural
collapse", eq. (2.3): the cross-entropy of a classifier W (K, d) and of features H, here
one row for each of the n K samples, both free.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from boundkit.lab.dynamics.simulation import Progress

    Numbers = NDArray[np.float64]

__all__ = ["REDUCTIONS", "Model", "Point", "Reduction", "descended", "random_point"]

Reduction = Literal["mean", "sum"]
REDUCTIONS: tuple[Reduction, ...] = ("mean", "sum")
#: Steps between two calls that tell of progress, and two looks at divergence.
_CHUNK = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A classifier and its features.

    Attributes:
        weight: (K, d).
        features: (n K, d), the samples of a class side by side.
    """

    weight: Numbers
    features: Numbers

    @property
    def radius(self) -> float:
        """``sqrt(||W||^2 + ||H||^2)``."""
        return math.hypot(
            float(np.linalg.norm(self.weight)), float(np.linalg.norm(self.features))
        )

    @property
    def flat(self) -> Numbers:
        """Classifier and features in one vector."""
        return np.concatenate([self.weight.ravel(), self.features.ravel()])


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The loss of P4 eq. (2.3), summed over samples or averaged.

    Attributes:
        classes: K.
        per_class: n.
        width: d.
        reduction: Of the loss that is descended; a rate for the mean is n K times that
            for the sum.
    """

    classes: int
    per_class: int
    width: int
    reduction: Reduction

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n K,) class of each sample."""
        return np.repeat(np.arange(self.classes), self.per_class)

    @property
    def share(self) -> float:
        """What a sample counts in the loss."""
        whole = self.classes * self.per_class
        return 1.0 if self.reduction == "sum" else 1 / whole

    def point(self, state: Numbers) -> Point:
        """Return classifier and features of a flat state."""
        cut = self.classes * self.width
        return Point(
            state[:cut].reshape(self.classes, self.width),
            state[cut:].reshape(-1, self.width),
        )

    def slope(self) -> Callable[[float, Numbers], Numbers]:
        """Return the gradient flow on a logarithmic clock.

        With ``v = log(1 + t)``, ``d theta/dv = -(1 + t) grad L``. The factor goes into
        the exponents, so that losses below the range of floats leave a slope.
        """
        own = np.eye(self.classes, dtype=bool)[self.labels]
        share = self.share

        def moving(clock: float, state: Numbers) -> Numbers:
            point = self.point(state)
            errors = share * _errors(point, own, clock)
            downhill = Point(-errors.T @ point.features, -errors @ point.weight)
            return downhill.flat

        return moving


def _errors(point: Point, own: NDArray[np.bool_], log_factor: float) -> Numbers:
    """Return (n K, K) softmax minus one-hot, times ``exp(log_factor)``."""
    scores = point.features @ point.weight.T
    scores -= scores.max(axis=1, keepdims=True)
    soft = np.log(np.exp(scores).sum(axis=1, keepdims=True))
    wrong = np.where(own, 0.0, np.exp(scores - soft + log_factor))
    # Probability minus one cancels where the probability is near one.
    return np.where(own, -wrong.sum(axis=1, keepdims=True), wrong)


def random_point(model: Model, scale: float, seed: int) -> Point:
    """Return Gaussian classifier and features.

    Args:
        model: Their shape.
        scale: Standard deviation of each entry.
        seed: Of the generator.
    """
    generator = np.random.default_rng(seed)
    count = model.classes * model.per_class
    return Point(
        scale * generator.standard_normal((model.classes, model.width)),
        scale * generator.standard_normal((count, model.width)),
    )


def descended(
    model: Model,
    start: Point,
    learning_rate: float,
    stops: NDArray[np.int64],
    progress: Progress | None = None,
) -> Iterator[tuple[int, Point]]:
    """Yield the points of gradient descent after so many steps; end if it diverges.

    Args:
        model: Whose loss is descended.
        start: Where from.
        learning_rate: Of every step.
        stops: Increasing counts of steps, the first 0.
        progress: Told of the steps.
    """
    weight, features = start.weight.copy(), start.features.copy()
    done = 0
    for stop in map(int, stops):
        while done < stop:
            chunk = min(_CHUNK, stop - done)
            _descend(weight, features, model, learning_rate, chunk)
            done += chunk
            if progress is not None:
                progress(done, int(stops[-1]), "gradient descent")
            if not (np.isfinite(weight).all() and np.isfinite(features).all()):
                return
        yield stop, Point(weight.copy(), features.copy())


def _descend(
    weight: Numbers, features: Numbers, model: Model, rate: float, steps: int
) -> None:
    """Take steps of gradient descent, in place."""
    own = np.eye(model.classes)[model.labels]
    wrong = 1 - own
    ones = np.ones(model.classes)
    pace = rate * model.share
    with np.errstate(all="ignore"):
        for _ in range(steps):
            errors = features @ weight.T
            errors -= errors.max(axis=1, keepdims=True)
            np.exp(errors, out=errors)
            errors /= (errors @ ones)[:, np.newaxis]
            errors *= wrong
            # Probability minus one cancels where the probability is near one.
            errors -= own * (errors @ ones)[:, np.newaxis]
            downhill = errors.T @ features
            features -= pace * (errors @ weight)
            weight -= pace * downhill
