"""Counts and sums of the classes of a sample: what the class means need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["ClassTotals"]

#: Float64 numbers of features at a time: 512 KiB, which stays in the second-level cache.
_BLOCK = 2**16


@dataclass(frozen=True, slots=True, eq=False)
class ClassTotals:
    """Sums per class, float64, added to in place.

    Those of two disjoint samples add up to those of both.

    Attributes:
        count: (C,) samples per class.
        sums: (C, p) sum of their features.
    """

    count: torch.Tensor
    sums: torch.Tensor

    @classmethod
    def empty(
        cls, classes: int, width: int, device: torch.device | str = "cpu"
    ) -> ClassTotals:
        """Return the sums of no samples.

        Args:
            classes: C.
            width: p.
            device: Where the features will be.
        """
        import torch

        sums = torch.zeros(classes, width, dtype=torch.float64, device=device)
        return cls(sums.new_zeros(classes), sums)

    def add(self, features: torch.Tensor, labels: torch.Tensor) -> None:
        """Add one batch, in place, without waiting for a device.

        Args:
            features: (b, p) of any floating dtype.
            labels: (b,) int64, 0..C-1, on the same device.
        """
        import torch

        ones = torch.ones_like(labels, dtype=self.count.dtype)
        self.count.index_add_(0, labels, ones)
        if features.device.type != "cpu" or features.dtype == torch.float64:
            self.sums.index_add_(0, labels, features.double())
            return
        rows = max(1, min(len(features), _BLOCK // features.shape[1]))
        # Room that is used again: fresh memory costs more than the arithmetic.
        room = self.sums.new_empty(rows, features.shape[1])
        for part, whose in zip(
            torch.split(features, rows), torch.split(labels, rows), strict=True
        ):
            wide = room.narrow(0, 0, len(part)).copy_(part)
            self.sums.index_add_(0, whose, wide)

    def __add__(self, other: ClassTotals) -> ClassTotals:
        """Merge two disjoint samples."""
        return ClassTotals(self.count + other.count, self.sums + other.sums)

    @property
    def mean(self) -> torch.Tensor:
        """(C, p) class means; zeros for a class without samples."""
        return self.sums / self.count.clamp(min=1).unsqueeze(1)
