"""Energies per position under preprocessing that the data declare for themselves."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from boundkit.errors import UsageError
from boundkit.types import Declared

if TYPE_CHECKING:
    import torch

    from boundkit.data import Samples

__all__ = ["DeclaredSums"]

#: Positions beyond which products of all pairs are not kept: 32 MiB of float64.
_MOST = 2048


def _energies(x: torch.Tensor) -> torch.Tensor:
    """Return (b, positions...) squared norms over the channels of (b, c, positions...)."""
    wide = x.double()
    # A vector is one position, however many features it has.
    return (wide if wide.ndim > 2 else wide.unsqueeze(2)).square().sum(1)


class DeclaredSums:
    """Running sums over a sample whose preprocessing is declared."""

    def __init__(self, center: torch.Tensor) -> None:
        self.center = center
        self.count = 0
        self.products: torch.Tensor | None = None
        self.lowest = float(center.min())
        self.largest = 0.0

    @classmethod
    def start(cls, samples: Samples) -> DeclaredSums:
        """Return empty sums.

        Args:
            samples: That declare unit norm, and perhaps a center.

        Raises:
            UsageError: They do not, or have more than 2048 positions.
        """
        import torch

        if not samples.unit:
            raise UsageError(
                f"{samples.name}: declares no normalization, which the confidence form "
                "'normalized' rests on; add normalize='unit' and center=... to an .npz, "
                "or use 'empirical'"
            )
        positions = prod(samples.shape[1:])
        if positions > _MOST:
            raise UsageError(
                f"{samples.name}: has {positions} positions, more than the {_MOST} whose "
                "energies the confidence form 'normalized' can compare; use 'empirical'"
            )
        center = samples.center
        return cls(torch.zeros(samples.shape) if center is None else center)

    def add(self, x: torch.Tensor) -> None:
        """Add a batch.

        Args:
            x: (b, channels, positions...) or (b, d), the center subtracted.
        """
        import torch

        seen = x.detach().cpu()
        energy = _energies(seen).flatten(1)
        products = energy.mT @ energy
        self.products = products if self.products is None else self.products + products
        self.count += len(seen)
        before = seen.double() + self.center.double()
        norms = torch.linalg.vector_norm(before.flatten(1), dim=1)
        self.lowest = min(self.lowest, float(before.min()))
        self.largest = max(self.largest, float(norms.max()))

    def finished(self) -> Declared:
        """Return the means, once there is a sample."""
        products = self.products
        assert products is not None  # noqa: S101 - an empty sample was refused before
        return Declared(
            _energies(self.center.unsqueeze(0))[0].numpy(),
            (products / self.count).numpy(),
            self.lowest,
            self.largest,
        )
