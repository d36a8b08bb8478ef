"""How near a last layer and its features are to the layer-peeled optimum.

P4: Ji, Lu, Zhang, Deng, Su (2022), "An unconstrained layer-peeled perspective on neural
collapse". A head W (K, d) and the features H (N, d) that enter it are taken as free
variables; the loss is the cross-entropy summed over samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from boundkit.measure.peeled_descent import Descent, descent, gradient_of, moved
from boundkit.measure.peeled_theorems import Point, optimum, theorem
from boundkit.numerics.layer_peeled import (
    PeeledResiduals,
    PeeledSums,
    Tangent,
    head_of,
)
from boundkit.numerics.span import WIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import torch
    from torch import Tensor

    State = TypeVar("State", PeeledSums, PeeledResiduals)
    Batches = Callable[[], Iterable[tuple[Tensor, Tensor]]]

__all__ = ["LayerPeeled", "layer_peeled", "two_rows"]

#: Columns of the head up to which a direction that all features leave free is sought:
#: that takes their ``q^2`` scatter and its ``q^3`` eigenvectors.
_WIDEST = WIDE + 1

_VALUES = (
    "margin_efficiency",
    "margin_efficiency_scale_free",
    "loss",
    "loss_bound",
    "loss_gap",
    "log10_loss",
    "log10_loss_bound",
    "least_margin",
    "gamma_tilde",
    "alignment",
    "kkt_epsilon",
    "kkt_delta",
    "kkt_residual",
    "complementarity",
    "complementarity_total",
)


@dataclass(frozen=True, slots=True, eq=False)
class LayerPeeled:
    """Margins, loss and KKT residuals beside what the layer-peeled model allows.

    Attributes:
        values: Name -> number, or None where it is not defined.
        descent: Where the loss falls at fixed norm.
        reasons: Name -> why it is None, or what to bear in mind.
        conventions: Name -> how it is counted.
    """

    values: Mapping[str, float | None]
    descent: Descent
    reasons: Mapping[str, str]
    conventions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, name: str) -> float | None:
        """Return one value.

        Raises:
            KeyError: There is none of that name.
        """
        return self.values[name]

    def summary(self) -> dict[str, Any]:
        """Return values, descent, reasons and conventions, ready for JSON."""
        return dict(self.values) | {
            "descent": self.descent.summary(),
            "reasons": dict(self.reasons),
            "conventions": dict(self.conventions),
        }

    def moved(
        self, features: Tensor, labels: Tensor, arc: float
    ) -> tuple[Tensor, Tensor] | None:
        """Return head and features after a step of descent at fixed norm.

        Args:
            features: (b, p), some or all of the sample.
            labels: (b,) int64.
            arc: Length of the step on the sphere.

        Returns:
            (K, q) head and (b, q) features, with bias and constant in the last column
            where there is a bias; None where there is no direction.
        """
        if self.descent.direction is None:
            return None
        return moved(self.descent.direction, features, labels, arc)


def two_rows(weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return the head of one output f as that of the two logits -f/2 and f/2.

    Args:
        weight: (1, p).
        bias: (1,) or None.
    """
    import torch

    rows = torch.cat([-weight, weight]) / 2
    return rows, None if bias is None else torch.cat([-bias, bias]) / 2


def _made(make: Callable[[], Any]) -> Any:
    return make()


def _placed(state: State, device: torch.device) -> State:
    """Return a merged state on the device of the head; merging may leave it elsewhere."""
    tensors = {
        each.name: tensor.to(device)
        for each in fields(state)
        if (tensor := getattr(state, each.name)) is not None
    }
    return replace(state, **tensors)


def layer_peeled(
    batches: Batches,
    weight: Tensor,
    bias: Tensor | None = None,
    merged: Callable[[Callable[[], Any]], Any] = _made,
) -> LayerPeeled:
    """Measure a sample in two passes, in memory of a batch, p^2 and K p.

    Args:
        batches: Called once for each pass: (b, p) features and (b,) int64 labels in
            0..K-1, on the device of the weight.
        weight: (K, p) of the last layer, K >= 2.
        bias: (K,) or None.
        merged: Calls what it is given, for the state of this process, and returns the
            sum of those of all processes.

    Returns:
        The measures; None with a reason where one is not defined.
    """
    import torch

    head = head_of(weight, bias)
    empty = head.new_zeros(0, weight.shape[1])
    none = torch.zeros(0, dtype=torch.int64, device=head.device)

    def first() -> PeeledSums:
        sums = PeeledSums.of(empty, none, head)
        for features, labels in batches():
            sums += PeeledSums.of(features, labels, head)
        return sums

    def second() -> PeeledResiduals:
        found = PeeledResiduals.of(empty, none, head, tangent)
        for features, labels in batches():
            found += PeeledResiduals.of(features, labels, head, tangent)
        return found

    sums = _placed(merged(first), head.device)
    total = int(sums.count.sum())
    conventions = _conventions(bias is not None, total)
    if fault := _fault(sums, head, total):
        return _undefined(fault, conventions)
    gradient = gradient_of(sums, head, float(sums.energy) + total * (bias is not None))
    tangent = Tangent(
        pull=gradient.pull,
        log_scale=sums.log_scale,
        least_margin=sums.least_margin,
        scatter=gradient.nearly_radial and head.shape[1] <= _WIDEST,
    )
    residuals = _placed(merged(second), head.device)
    point = Point.of(sums, residuals, gradient, weight, bias)
    values, reasons = theorem(point)
    return LayerPeeled(
        MappingProxyType(values),
        descent(gradient, sums, residuals, tangent, head),
        MappingProxyType(reasons | optimum(point)),
        MappingProxyType(conventions),
    )


def _fault(sums: PeeledSums, head: Tensor, total: int) -> str:
    """Return why nothing is defined, or an empty string."""
    if head.shape[0] < 2:
        return "there are fewer than two classes"
    if total == 0:
        return "there are no samples"
    sizes = (sums.energy, sums.log_loss, sums.gradient.square().sum(), sums.gram.sum())
    if not all(math.isfinite(float(size)) for size in sizes):
        return "weights or features are not finite, or overflow"
    return ""


def _undefined(reason: str, conventions: Mapping[str, str]) -> LayerPeeled:
    return LayerPeeled(
        MappingProxyType(dict.fromkeys(_VALUES)),
        Descent("none", reason=reason),
        MappingProxyType(dict.fromkeys(_VALUES, reason)),
        MappingProxyType(dict(conventions)),
    )


def _conventions(biased: bool, total: int) -> dict[str, str]:
    found = {
        "loss": f"cross-entropy, summed over {total} samples",
        "norm": "||W||_F^2 + ||H||_F^2, no centering",
        "bias": "none",
    }
    if biased:
        found["bias"] = (
            "appended to W, with a constant 1 appended to every feature; both count in"
            " the norms, and the constant is a free coordinate of the model; the"
            " scale-free efficiency counts neither"
        )
    return found
