"""The continually renormalized gradient flow of P2, on the features themselves.

P2: Han, Papyan, Donoho (2022), "Neural collapse under MSE loss: proximity to and dynamics
on the central path". X is (p, C N), the N samples of a class side by side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from boundkit.measure.collapse.central_path import clock, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

__all__ = ["RENORMALIZE", "Design", "Law", "Renormalize", "beginning", "classifier"]

#: How features are kept at unit covariance within classes.
Renormalize = Literal["project", "whiten"]
RENORMALIZE: tuple[Renormalize, ...] = ("project", "whiten")


@dataclass(frozen=True, slots=True)
class Law:
    """The closed form that a signal-to-noise value w follows.

    Attributes:
        classes: C.
        per_class: N.
        renormalize: Where the gradient is projected, ``dw/dt = w / (N (C + w^2)^2)``,
            which is P2 eq. (9); where features are whitened after each step of the
            plain gradient, ``dw/dt = w / (N C (C + w^2))``, which is not.
    """

    classes: int
    per_class: int
    renormalize: Renormalize

    def clock(self, value: float) -> float:
        """Return what grows by t in time t.

        Args:
            value: w, above 0.
        """
        if self.renormalize == "project":
            return clock(value, self.classes, self.per_class)
        scale = self.per_class * self.classes
        return scale * (self.classes * math.log(value) + value * value / 2)

    def moved(self, value: float, time: float) -> float:
        """Return the value that flows from ``value`` in the given time.

        Args:
            value: w at time 0, above 0.
            time: Not negative.
        """
        if self.renormalize == "project":
            return moved(value, time, self.classes, self.per_class)
        scale, target = self.per_class * self.classes, self.clock(value) + time
        log = math.log(math.hypot(value, math.sqrt(2 * time / scale)))
        for _ in range(200):
            at = math.exp(log)
            step = (self.clock(at) - target) / (scale * (self.classes + at * at))
            log -= step
            if abs(step) <= 1e-15 * max(1.0, abs(log)):
                break
        return math.exp(log)

    @property
    def power(self) -> int:
        """Power of w that grows as t does in the end."""
        return 4 if self.renormalize == "project" else 2

    def asymptote(self, time: float) -> float:
        """Return what w is compared with as t grows: ``(t/c3)^(1/4)`` for P2 eq. (9).

        Args:
            time: Not negative.
        """
        if self.renormalize == "project":
            return float((4 * time / self.per_class) ** 0.25)
        return math.sqrt(2 * time / (self.per_class * self.classes))


@dataclass(frozen=True, slots=True)
class Design:
    """Shape of the features, and how they are renormalized.

    Attributes:
        classes: C, at least 2.
        per_class: N, samples of each class.
        width: p.
        renormalize: See ``Law``.
    """

    classes: int
    per_class: int
    width: int
    renormalize: Renormalize

    @property
    def count(self) -> int:
        """Samples in all."""
        return self.classes * self.per_class

    @property
    def law(self) -> Law:
        """The closed form of this design."""
        return Law(self.classes, self.per_class, self.renormalize)

    def shaped(self, state: Numbers) -> Numbers:
        """Return X (p, C N) of a flat state."""
        return state.reshape(self.width, self.count)

    def means(self, features: Numbers) -> Numbers:
        """Return the class means (p, C)."""
        parted = features.reshape(self.width, self.classes, self.per_class)
        found: Numbers = parted.mean(axis=2)
        return found

    def within(self, features: Numbers) -> Numbers:
        """Return the deviations (p, C N) from the class means."""
        means = self.means(features)
        return features - np.repeat(means, self.per_class, axis=1)

    def slope(self, time: float, state: Numbers) -> Numbers:
        """Return dX/dt of P2 eq. (5), flat.

        Projected, it is minus the gradient of the least-squares loss less its part that
        would change the covariance within classes: that part is ``S D`` with D the
        deviations from the class means and S symmetric. Whitened, it is minus the
        gradient, less ``A X`` with the symmetric A that keeps the covariance.

        Args:
            time: The flow does not depend on it.
            state: (p C N,).
        """
        del time
        features = self.shaped(state)
        step = -_gradient(features, self)
        own = self.within(features)
        covariance = own @ own.T / self.count
        moving = step if self.renormalize == "project" else self.within(step)
        change = moving @ own.T / self.count
        # Solved for the covariance as it is: I would let rounding grow along the path.
        correction = _symmetric_solution(covariance, change + change.T)
        kept = own if self.renormalize == "project" else features
        return (step - correction @ kept).ravel()


def _targets(design: Design) -> Numbers:
    """Return the one-hot targets (C, C N), each row less its mean 1/C."""
    ones = np.repeat(np.eye(design.classes), design.per_class, axis=1)
    return ones - 1 / design.classes


def classifier(features: Numbers, design: Design) -> tuple[Numbers, Numbers]:
    """Return the least-squares classifier (C, p) and bias (C,); P2 eq. (6).

    Args:
        features: (p, C N), whose covariance has full rank.
        design: Their shape.
    """
    center = features.mean(axis=1, keepdims=True)
    around = features - center
    total = around @ around.T / design.count
    products = _targets(design) @ around.T / design.count
    weight: Numbers = np.linalg.solve(total, products.T).T
    return weight, 1 / design.classes - (weight @ center).ravel()


def _gradient(features: Numbers, design: Design) -> Numbers:
    """Return the gradient (p, C N) of the least-squares loss in the features.

    The classifier is optimal, so only the features' own part counts.
    """
    weight, _ = classifier(features, design)
    around = features - features.mean(axis=1, keepdims=True)
    errors = weight @ around - _targets(design)
    pulled = weight.T @ errors / design.count
    found: Numbers = pulled - pulled.mean(axis=1, keepdims=True)
    return found


def _symmetric_solution(covariance: Numbers, change: Numbers) -> Numbers:
    """Return the symmetric S with ``S Sigma + Sigma S = change``."""
    values, vectors = np.linalg.eigh(covariance)
    inside = vectors.T @ change @ vectors
    found: Numbers = vectors @ (inside / (values[:, np.newaxis] + values)) @ vectors.T
    return found


def beginning(design: Design, signal: float, seed: int) -> Numbers:
    """Return Gaussian features (p, C N), renormalized, with global mean zero.

    Args:
        design: Their shape; C (N - 1) is at least p.
        signal: Root mean square of the C - 1 signal-to-noise values.
        seed: Of the generator.
    """
    generator = np.random.default_rng(seed)
    noise = design.within(generator.standard_normal((design.width, design.count)))
    means = generator.standard_normal((design.width, design.classes))
    means -= means.mean(axis=1, keepdims=True)
    means *= signal * math.sqrt(design.classes - 1) / np.linalg.norm(means)
    values, vectors = np.linalg.eigh(noise @ noise.T / design.count)
    whitened = vectors @ ((vectors.T @ noise) / np.sqrt(values)[:, np.newaxis])
    found: Numbers = whitened + np.repeat(means, design.per_class, axis=1)
    return found
