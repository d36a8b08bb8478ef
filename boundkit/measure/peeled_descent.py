"""Where the cross-entropy of a last layer falls on the sphere of fixed norm.

P4: Ji, Lu, Zhang, Deng, Su (2022), "An unconstrained layer-peeled perspective on neural
collapse", Theorem 3.4 and its proof in appendix C.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from boundkit.numerics.layer_peeled import extended, output_gradient

if TYPE_CHECKING:
    from torch import Tensor

    from boundkit.numerics.layer_peeled import PeeledResiduals, PeeledSums, Tangent

__all__ = ["Descent", "Direction", "Gradient", "descent", "gradient_of", "moved"]

#: Relative size of the tangent part of the gradient, over the largest singular value of
#: the gradient in the outputs times the norm of the point, below which it counts as
#: none: float32 features leave more than float64 rounding.
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """Sizes of the gradient at theta = (W, H), over ``exp(log_scale)``.

    Attributes:
        radius: ``||theta||``.
        norm: Of the whole gradient.
        along: ``<gradient, theta>``; negative where growing lowers the loss.
        largest: Largest singular value of the gradient in the outputs.
        left: (K,) its left singular vector.
        log_scale: Logarithm of what the others are divided by.
    """

    radius: float
    norm: float
    along: float
    largest: float
    left: Tensor
    log_scale: float

    @property
    def pull(self) -> float:
        """lam: the gradient's share along theta, ``<gradient, theta> / ||theta||^2``."""
        return self.along / self.radius**2 if self.radius else 0.0

    @property
    def nearly_radial(self) -> bool:
        """Whether the tangent part may be below the tolerance, rounding considered."""
        tangent = self.norm**2 - self.along * self.pull
        return tangent <= (30 * TOLERANCE * self.largest * self.radius) ** 2


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """A unit tangent direction: that of the head, and how to get that of the features.

    Attributes:
        head: (K, q) the point's own head.
        step: (K, q) of the head.
        through: (K, q) features move by minus their scaled output gradient times this,
        own: and by minus this times themselves.
        log_scale: () of the output gradient.
        radius: ``||theta||``.
    """

    head: Tensor
    step: Tensor
    through: Tensor
    own: float
    log_scale: Tensor
    radius: float


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """A direction on the sphere along which the loss falls, or the reason for none.

    Attributes:
        kind: "tangent" (first order), "second order", or "none".
        slope: Derivative of the loss per unit of arc; 0 at second order.
        curvature: Second derivative of the loss per unit of arc along a direction of
            second order; None elsewhere.
        relative_slope: Derivative of log(loss) by the angle.
        relative_curvature: Second derivative by the angle, over the loss.
        reason: Why there is none, or what is known of it.
        direction: None where there is none.
    """

    kind: Literal["tangent", "second order", "none"]
    slope: float | None = None
    curvature: float | None = None
    relative_slope: float | None = None
    relative_curvature: float | None = None
    reason: str = ""
    direction: Direction | None = None

    def summary(self) -> dict[str, Any]:
        """Return kind, slopes, curvatures and the reason, ready for JSON."""
        return {
            "kind": self.kind,
            "slope": self.slope,
            "curvature": self.curvature,
            "relative_slope": self.relative_slope,
            "relative_curvature": self.relative_curvature,
            "reason": self.reason,
        }


def gradient_of(sums: PeeledSums, head: Tensor, energy: float) -> Gradient:
    """Return the sizes of the gradient from the first pass.

    Args:
        sums: Over the whole sample, finite.
        head: (K, q) float64.
        energy: ``||H||^2``, with the appended constants.
    """
    import torch

    in_features = (head @ head.mT * sums.gram).sum().clamp(min=0)
    values, vectors = torch.linalg.eigh(sums.gram)
    return Gradient(
        radius=math.sqrt(float(head.square().sum()) + energy),
        norm=math.sqrt(float(sums.gradient.square().sum() + in_features)),
        along=2 * float((head * sums.gradient).sum()),
        largest=math.sqrt(max(float(values[-1]), 0.0)),
        left=vectors[:, -1],
        log_scale=float(sums.log_scale),
    )


def _exp(log: float) -> float:
    return math.exp(log) if log < 709 else math.inf


def _null_vector(head: Tensor, scatter: Tensor) -> Tensor | None:
    """Return a unit vector that head and features both send to zero, if there is one."""
    import torch

    values, vectors = torch.linalg.eigh(head.mT @ head + scatter)
    flat = values[0] <= TOLERANCE * values[-1]
    return vectors[:, 0] if bool(flat) else None


def descent(
    gradient: Gradient,
    sums: PeeledSums,
    residuals: PeeledResiduals,
    tangent: Tangent,
    head: Tensor,
) -> Descent:
    """Return the direction of Theorem 3.4 at theta = (W, H).

    The tangent part of the gradient, where there is one; else, where the gradient in
    the outputs has a singular value s above -lam, ``(u a^T, -a v^T) / sqrt(2)`` with
    its singular vectors u, v and a unit a that W and every feature send to zero. Its
    curvature is ``-(s + lam)``; the paper writes ``|lam|`` for -lam (C.8).

    Args:
        gradient: Its sizes.
        sums: The first pass.
        residuals: The second pass.
        tangent: What the second pass was given.
        head: (K, q) float64.
    """
    if gradient.radius == 0:
        return Descent("none", reason="every weight and every feature is zero")
    off = sums.gradient - gradient.pull * head
    size = math.sqrt(float(off.square().sum() + residuals.off_course))
    loss = float(sums.log_loss)
    if size > TOLERANCE * gradient.largest * gradient.radius:
        log_size = math.log(size) + gradient.log_scale
        return Descent(
            "tangent",
            slope=-_exp(log_size),
            relative_slope=-_exp(log_size - loss + math.log(gradient.radius)),
            direction=Direction(
                head=head,
                step=-off / size,
                through=head / size,
                own=-gradient.pull / size,
                log_scale=tangent.log_scale,
                radius=gradient.radius,
            ),
        )
    return _second_order(gradient, residuals, tangent, head, loss)


def _second_order(
    gradient: Gradient,
    residuals: PeeledResiduals,
    tangent: Tangent,
    head: Tensor,
    log_loss: float,
) -> Descent:
    fall = gradient.largest + gradient.pull
    if fall <= TOLERANCE * gradient.largest:
        return Descent(
            "none", reason="the loss is at its smallest on the sphere, to rounding"
        )
    if residuals.scatter is None:
        return Descent(
            "none",
            reason="the gradient points along the point itself; whether weights and"
            f" features leave one of {head.shape[1]} dimensions free, along which the"
            " loss would fall at second order, is not sought in so many",
        )
    aside = _null_vector(head, residuals.scatter)
    if aside is None:
        return Descent(
            "none",
            reason="the gradient points along the point itself, and weights and"
            f" features leave none of {head.shape[1]} dimensions free;"
            " the theorem needs at least as many dimensions as classes",
        )
    log_fall = math.log(fall) + gradient.log_scale
    half = math.sqrt(0.5)
    return Descent(
        "second order",
        slope=0.0,
        curvature=-_exp(log_fall),
        relative_slope=0.0,
        relative_curvature=-_exp(log_fall - log_loss + 2 * math.log(gradient.radius)),
        direction=Direction(
            head=head,
            step=half * gradient.left.outer(aside),
            through=half / gradient.largest * gradient.left.outer(aside),
            own=0.0,
            log_scale=tangent.log_scale,
            radius=gradient.radius,
        ),
    )


def moved(
    direction: Direction, features: Tensor, labels: Tensor, arc: float
) -> tuple[Tensor, Tensor]:
    """Return head and features after a walk on the sphere, for any part of the sample.

    Args:
        direction: Of the whole sample.
        features: (b, p) of some of it.
        labels: (b,) int64.
        arc: How far along the great circle, in the units of weights and features.

    Returns:
        (K, q) the head and (b, q) the features, float64; with a bias, the last column
        holds the bias and the appended coordinate, which moves as the others do.
    """
    wide = extended(features, direction.head)
    slopes = output_gradient(wide, labels, direction.head, direction.log_scale)
    steps = -slopes @ direction.through - direction.own * wide
    angle = arc / direction.radius
    near, far = math.cos(angle), math.sin(angle) * direction.radius
    return near * direction.head + far * direction.step, near * wide + far * steps
