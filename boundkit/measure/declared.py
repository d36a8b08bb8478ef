"""Energies per position under preprocessing that the data declare for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from boundkit.errors import UsageError
from boundkit.types import Declared

if TYPE_CHECKING:
    import torch

    from boundkit.data import Samples

__all__ = ["DeclaredSums", "declared_center"]

#: Positions beyond which products of all pairs are not kept: 32 MiB of float64.
_MOST = 2048


def declared_center(samples: Samples) -> torch.Tensor:
    """Return the center that samples of declared unit norm are given relative to.

    Args:
        samples: Of unit norm by declaration, before the center was subtracted.

    Returns:
        The center, of the shape of a sample; zeros if none is declared.

    Raises:
        UsageError: They declare no normalization, or have more than 2048 positions.
    """
    import torch

    if not samples.unit:
        raise UsageError(
            f"{samples.name}: declares no normalization, which the confidence form "
            "'normalized' rests on; add normalize='unit' to an .npz, or use 'empirical'"
        )
    positions = prod(samples.shape[1:])
    if positions > _MOST:
        raise UsageError(
            f"{samples.name}: has {positions} positions, more than the {_MOST} whose "
            "energies the confidence form 'normalized' can compare; use 'empirical'"
        )
    if samples.center is None:
        return torch.zeros(samples.shape)
    return samples.center


def _energies(x: torch.Tensor) -> torch.Tensor:
    """Return (b, positions...) squared norms over the channels of (b, c, positions...)."""
    wide = x.double()
    # A vector is one position, however many features it has.
    return (wide if wide.ndim > 2 else wide.unsqueeze(2)).square().sum(1)


@dataclass(frozen=True, slots=True, eq=False)
class DeclaredSums:
    """Float64 sums over a sample; those of two samples add up to those of both.

    Attributes:
        count: Samples.
        products: (p, p) sum of ``||x_ip||^2 ||x_iq||^2``.
        lowest: Smallest value before the center was subtracted.
        largest: Largest norm before the center was subtracted.
    """

    count: int
    products: torch.Tensor
    lowest: float
    largest: float

    @classmethod
    def of(cls, x: torch.Tensor, center: torch.Tensor) -> DeclaredSums:
        """Sum over one batch.

        Args:
            x: (b, channels, positions...) or (b, d), the center subtracted.
            center: What was subtracted.
        """
        import torch

        seen = x.cpu()
        energy = _energies(seen).flatten(1)
        before = seen.double() + center.double()
        norms = torch.linalg.vector_norm(before.flatten(1), dim=1)
        return cls(len(x), energy.mT @ energy, float(before.min()), float(norms.max()))

    def __add__(self, other: DeclaredSums) -> DeclaredSums:
        """Merge two disjoint samples."""
        return DeclaredSums(
            self.count + other.count,
            self.products + other.products,
            min(self.lowest, other.lowest),
            max(self.largest, other.largest),
        )

    def finished(self, center: torch.Tensor) -> Declared:
        """Return the means.

        Args:
            center: What was subtracted.
        """
        return Declared(
            _energies(center.unsqueeze(0))[0].numpy(),
            (self.products / self.count).numpy(),
            min(self.lowest, float(center.min())),
            self.largest,
        )
