"""Which class mean is nearest, decided the same way whatever the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.numerics.class_moments import Agreement

if TYPE_CHECKING:
    import torch

__all__ = ["Centers", "agreement", "decision"]

#: Differences of squared distances that are rounding, relative to their terms.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Centers:
    """Class means in the form in which distances to them are compared; float64.

    Attributes:
        origin: (p,) mean of the class means; distances are taken from there, so that a
            common offset costs no digits.
        means: (C, p) themselves.
        directions: (p, C) means minus origin; 0 for a class without samples.
        offsets: (C,) minus half their squared lengths; minus infinity for a class
            without samples, which is never the nearest.
        size: () largest squared length.
    """

    origin: torch.Tensor
    means: torch.Tensor
    directions: torch.Tensor
    offsets: torch.Tensor
    size: torch.Tensor

    @classmethod
    def of(cls, mean: torch.Tensor, count: torch.Tensor) -> Centers:
        """Prepare the means of classes.

        Args:
            mean: (C, p) float64.
            count: (C,) samples per class.
        """
        import torch

        there = count > 0
        share = there.to(mean.dtype) / there.sum().clamp(min=1)
        origin = share @ mean
        centered = torch.where(
            there.unsqueeze(1), mean - origin, torch.zeros_like(mean)
        )
        squares = centered.square().sum(1)
        offsets = torch.where(there, -squares / 2, -torch.inf)
        return cls(origin, mean, centered.mT, offsets, squares.amax())

    def nearest(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the class whose mean is nearest; the lowest of those equally near.

        Args:
            features: (b, p).

        Returns:
            (b,) int64 classes, and (b,) whether another mean is equally near within
            rounding.
        """
        import torch

        centered = features.double() - self.origin
        scores = torch.addmm(self.offsets, centered, self.directions)
        lengths = torch.linalg.vector_norm(centered, dim=1)
        slack = _ROUNDING * (lengths * self.size.sqrt() + self.size)
        best, found = scores.max(1)
        scores.scatter_(1, found.unsqueeze(1), -torch.inf)
        enough = best - slack
        tied = scores.amax(1) >= enough
        # Only here is it free to ask: elsewhere the answer would be waited for.
        if tied.device.type == "cpu" and not tied.any():
            return found, tied
        near = (scores >= enough.unsqueeze(1)).byte()
        near.scatter_(1, found.unsqueeze(1), 1)
        # Of equal values argmax takes the first.
        return near.argmax(1), tied


def decision(outputs: torch.Tensor) -> torch.Tensor:
    """Return the class that a net decides for: the largest output, the lowest of equals.

    Args:
        outputs: (b, C); of a single output the sign decides, positive for class 1.

    Returns:
        (b,) int64.
    """
    if outputs.shape[1] == 1:
        return (outputs.squeeze(1) > 0).long()
    return outputs.argmax(1)


def agreement(
    centers: Centers,
    features: torch.Tensor,
    labels: torch.Tensor,
    decided: torch.Tensor | None = None,
    unbiased: torch.Tensor | None = None,
) -> Agreement:
    """Hold the nearest class mean against labels and decisions of one batch.

    Args:
        centers: Of the training sample, also where the batch is held out.
        features: (b, p).
        labels: (b,) int64, 0..C-1.
        decided: (b,) the net's decisions, or None.
        unbiased: (b,) its decisions without the bias of the head, or None.
    """
    import torch

    wide = features.double()
    nearest, tied = centers.nearest(wide)
    zero = torch.zeros(len(centers.offsets), dtype=torch.int64, device=labels.device)

    def counted(where: torch.Tensor) -> torch.Tensor:
        return zero.index_add(0, labels, where.long())

    def lengths(rows: torch.Tensor) -> torch.Tensor:
        sizes = torch.linalg.vector_norm(rows, dim=1)
        return zero.double().index_add(0, labels, sizes)

    return Agreement(
        count=counted(torch.ones_like(labels)),
        nearest_errors=counted(nearest != labels),
        nearest_ties=counted(tied),
        net_errors=None if decided is None else counted(decided != labels),
        mismatches=None if decided is None else counted(decided != nearest),
        mismatches_unbiased=None if unbiased is None else counted(unbiased != nearest),
        to_mean=lengths(wide - centers.means.index_select(0, labels)),
        to_center=lengths(wide - centers.origin),
    )
