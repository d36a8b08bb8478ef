"""One pass over the features of classes that lie far from the origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.outer_products import add_outer, symmetric

if TYPE_CHECKING:
    import torch

__all__ = ["PivotedSums"]


@dataclass(frozen=True, slots=True, eq=False)
class PivotedSums:
    """Sums of ``h - pivot_c``, the pivot being the first sample of the class; float64.

    A sample of the class is as near to its mean as the class is wide, so nothing
    cancels, however far from the origin the class lies. The tensors are added to in
    place: memory is that of one batch, ``p^2`` and ``C p``.

    Attributes:
        pivot: (C, p) a sample of each class that has one.
        count: (C,) samples per class.
        sums: (C, p) sum of ``h - pivot_c``.
        squares: (C,) sum of ``||h - pivot_c||^2``.
        gram: (p, p) sum of the outer products; its lower triangle only.
    """

    pivot: torch.Tensor
    count: torch.Tensor
    sums: torch.Tensor
    squares: torch.Tensor
    gram: torch.Tensor

    @classmethod
    def empty(
        cls, classes: int, width: int, device: torch.device | str = "cpu"
    ) -> PivotedSums:
        """Return the sums of no samples.

        Args:
            classes: C.
            width: p.
            device: Where the features will be.
        """
        import torch

        zeros = torch.zeros(classes, width, dtype=torch.float64, device=device)
        return cls(
            pivot=zeros,
            count=zeros.new_zeros(classes),
            sums=zeros.clone(),
            squares=zeros.new_zeros(classes),
            gram=zeros.new_zeros(width, width),
        )

    def add(self, features: torch.Tensor, labels: torch.Tensor) -> None:
        """Add one batch, in place, without waiting for a device.

        Args:
            features: (b, p) of any floating dtype.
            labels: (b,) int64, 0..C-1, on the same device.
        """
        import torch

        # A copy of our own, so that the difference needs no memory besides.
        off = features.to(torch.float64, copy=True)
        self._place(off, labels)
        off.sub_(self.pivot.index_select(0, labels))
        self.count.index_add_(0, labels, torch.ones_like(labels, dtype=off.dtype))
        self.sums.index_add_(0, labels, off)
        sizes = torch.linalg.vector_norm(off, dim=1)
        self.squares.index_add_(0, labels, sizes.square())
        add_outer(self.gram, off)

    def _place(self, wide: torch.Tensor, labels: torch.Tensor) -> None:
        """Make the first sample of each class that is new its pivot."""
        import torch

        new = self.count.index_select(0, labels) == 0
        # Only here is it free to ask: elsewhere the answer would be waited for.
        if labels.device.type == "cpu" and not new.any():
            return
        rows = torch.arange(len(labels), device=labels.device)
        none = labels.new_full((len(self.count),), len(labels))
        first = none.scatter_reduce(0, labels, rows, "amin").index_select(0, labels)
        known = self.pivot.index_select(0, labels)
        anchor = torch.where(new.unsqueeze(1), wide.index_select(0, first), known)
        # Rows of one class are all alike, so it does not matter which is written last.
        self.pivot.index_copy_(0, labels, anchor)

    def finished(self) -> ClassMoments:
        """Return the moments about the means."""
        count = self.count.clamp(min=1)
        shift = self.sums / count.unsqueeze(1)
        scaled = self.sums / count.sqrt().unsqueeze(1)
        spread = self.squares - count * shift.square().sum(1)
        return ClassMoments(
            count=self.count.clone(),
            mean=self.pivot + shift,
            spread=spread.clamp(min=0),
            within=symmetric(self.gram) - scaled.mT @ scaled,
        )
