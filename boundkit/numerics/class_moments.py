"""Counts, means and scatter of the classes of a sample, as states that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.errors import UsageError

if TYPE_CHECKING:
    import torch

__all__ = ["Agreement", "ClassMoments"]


@dataclass(frozen=True, slots=True, eq=False)
class ClassMoments:
    """First and second moments per class, float64, on the device of the features.

    Those of two disjoint samples add up to those of both.

    Attributes:
        count: (C,) samples per class, whole numbers.
        mean: (C, p) class means; a row of zeros for a class without samples.
        spread: (C,) sum over the class of ``||h - mean_c||^2``.
        within: (p, p) sum over all samples of ``(h - mean_c)(h - mean_c)^T``; (r, r) in
            the coordinates of ``basis`` where that is given.
        basis: (p, r) orthonormal columns: ``within`` is known only inside their span.
            None stands for the whole space.
        complete: Whether no ``h - mean_c`` has a part outside that span, so that
            ``within`` is zero there. Means and classifier rows lie in it, too.
    """

    count: torch.Tensor
    mean: torch.Tensor
    spread: torch.Tensor
    within: torch.Tensor
    basis: torch.Tensor | None = None
    complete: bool = False

    @classmethod
    def of(
        cls, features: torch.Tensor, labels: torch.Tensor, classes: int
    ) -> ClassMoments:
        """Return the moments of one batch.

        Args:
            features: (b, p) of any floating dtype.
            labels: (b,) int64, 0..classes-1, on the same device.
            classes: C.
        """
        import torch

        wide = features.double()
        ones = torch.ones_like(labels, dtype=torch.float64)
        count = ones.new_zeros(classes).index_add(0, labels, ones)
        sums = wide.new_zeros(classes, wide.shape[1]).index_add(0, labels, wide)
        mean = sums / count.clamp(min=1).unsqueeze(1)
        centered = wide - mean[labels]
        squares = centered.square().sum(1)
        return cls(
            count=count,
            mean=mean,
            spread=torch.zeros_like(count).index_add(0, labels, squares),
            within=centered.mT @ centered,
        )

    def __add__(self, other: ClassMoments) -> ClassMoments:
        """Merge two disjoint samples; Chan, Golub, LeVeque (1979), eq. (2.1).

        Raises:
            UsageError: Their scatter is known in different subspaces.
        """
        if not _same(self.basis, other.basis):
            raise UsageError(
                "moments of classes in different subspaces cannot be merged; give all"
                " of them the same basis"
            )
        count = self.count + other.count
        share = other.count / count.clamp(min=1)
        delta = other.mean - self.mean
        weight = self.count * share
        inside = delta if self.basis is None else delta @ self.basis
        between = (inside * weight.unsqueeze(1)).mT @ inside
        return ClassMoments(
            count=count,
            mean=self.mean + delta * share.unsqueeze(1),
            spread=self.spread + other.spread + weight * delta.square().sum(1),
            within=self.within + other.within + between,
            basis=self.basis,
            complete=self.complete and other.complete,
        )


def _same(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or (one.shape == other.shape and bool((one == other).all()))


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Decisions of the nearest class mean beside the net's own; int64, per true class.

    Those of two disjoint samples, against the same means, add up to those of both.

    Attributes:
        count: (C,) samples per class.
        nearest_errors: (C,) samples whose nearest class mean is another class's.
        nearest_ties: (C,) samples that have two nearest means; the lower class is taken.
        net_errors: (C,) samples whose largest output is another class's (the lowest of
            equals); None without a classifier.
        mismatches: (C,) samples where both decisions differ; None likewise.
        mismatches_unbiased: (C,) the same for the outputs less the bias of the head;
            None where that is not known.
        to_mean: (C,) float64, sum over the class of ``||h - mean_c||``, for ratios of
            average distances; None if not computed.
        to_center: (C,) the same of ``||h - mu_G||``, where mu_G is the mean of the
            means of the classes that have samples.
    """

    count: torch.Tensor
    nearest_errors: torch.Tensor
    nearest_ties: torch.Tensor
    net_errors: torch.Tensor | None = None
    mismatches: torch.Tensor | None = None
    mismatches_unbiased: torch.Tensor | None = None
    to_mean: torch.Tensor | None = None
    to_center: torch.Tensor | None = None

    def __add__(self, other: Agreement) -> Agreement:
        """Merge two disjoint samples that were held against the same means."""
        return Agreement(
            count=self.count + other.count,
            nearest_errors=self.nearest_errors + other.nearest_errors,
            nearest_ties=self.nearest_ties + other.nearest_ties,
            net_errors=_sum(self.net_errors, other.net_errors),
            mismatches=_sum(self.mismatches, other.mismatches),
            mismatches_unbiased=_sum(
                self.mismatches_unbiased, other.mismatches_unbiased
            ),
            to_mean=_sum(self.to_mean, other.to_mean),
            to_center=_sum(self.to_center, other.to_center),
        )


def _sum(one: torch.Tensor | None, other: torch.Tensor | None) -> torch.Tensor | None:
    return None if one is None or other is None else one + other
