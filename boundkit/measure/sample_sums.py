"""Sums over a sample that bounds ask for: margins, norms, patches."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Literal

from boundkit.measure.patches import patches
from boundkit.types import Geometry

if TYPE_CHECKING:
    import torch

__all__ = ["FirstLayer", "Sums", "raw_margins"]

FirstLayer = Geometry | Literal["dense"] | None

#: Elements of patches that are expanded at a time: 256 MiB of float64.
_EXPANDED = 2**25


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Float64 sums over a sample; those of two samples add up to those of both.

    Attributes:
        margins: (b,) raw margins of each batch in turn.
        squares: (channels, positions...) sum of the squares of each coordinate.
        largest: () largest ``||x_i||^2``.
        gram: (q, d, d) sum of patch times patch transposed, or None.
        aligned: (2,) sum of the inner products of outputs and centered targets, and of
            the squared norms of the outputs.
    """

    margins: tuple[torch.Tensor, ...]
    squares: torch.Tensor
    largest: torch.Tensor
    gram: torch.Tensor | None
    aligned: torch.Tensor

    @property
    def energy(self) -> torch.Tensor:
        """(positions...) sum of ``||x_{i,p}||^2``."""
        return self.squares.sum(0)

    def packed(self) -> Sums:
        """Return the same sums with the margins in one piece."""
        import torch

        return replace(self, margins=(torch.cat(self.margins),))

    @classmethod
    def of(
        cls,
        x: torch.Tensor,
        outputs: torch.Tensor,
        labels: torch.Tensor,
        first_layer: FirstLayer,
    ) -> Sums:
        """Sum over one batch, on the device of its tensors.

        Args:
            x: (b, channels, positions...) or (b, d) inputs.
            outputs: (b, C).
            labels: (b,) class indices, or -1/+1.
            first_layer: Where the patches are taken; None for no patches.

        Returns:
            The sums of this batch.
        """
        wide = x.double()
        # A vector is one position, however many features it has.
        channels = wide if wide.ndim > 2 else wide.unsqueeze(2)
        squares = channels.square()
        return cls(
            margins=(raw_margins(outputs, labels),),
            squares=squares.sum(0),
            largest=squares.flatten(1).sum(1).amax(),
            gram=None if first_layer is None else _gram(wide, first_layer),
            aligned=_aligned(outputs, labels),
        )

    def __add__(self, other: Sums) -> Sums:
        """Merge two disjoint samples."""
        import torch

        gram = None
        if self.gram is not None and other.gram is not None:
            gram = self.gram + other.gram
        return Sums(
            margins=self.margins + other.margins,
            squares=self.squares + other.squares,
            largest=torch.maximum(self.largest, other.largest),
            gram=gram,
            aligned=self.aligned + other.aligned,
        )


def _aligned(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    import torch

    wide, classes = outputs.double(), outputs.shape[1]
    energy = wide.square().sum()
    if classes == 1:
        return torch.stack((
            torch.where(labels > 0, wide.squeeze(1), -wide.squeeze(1)).sum(),
            energy,
        ))
    own = wide.gather(1, labels.clamp(min=0).unsqueeze(1)).sum()
    # f_c - (sum of the others) / (C - 1)
    return torch.stack(((own * classes - wide.sum()) / (classes - 1), energy))


def _gram(x: torch.Tensor, first_layer: Geometry | Literal["dense"]) -> torch.Tensor:
    import torch

    per_sample = patches(x.narrow(0, 0, 1), first_layer).numel()
    parts = [
        patches(part, first_layer).transpose(0, 1)
        for part in torch.split(x, max(1, _EXPANDED // max(per_sample, 1)))
    ]
    return reduce(operator.add, (p.mT @ p for p in parts))


def raw_margins(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return y f for one output, else f_y - max of the others.

    Args:
        outputs: (b, C).
        labels: (b,) -1/+1 or 0/1 for C <= 2, class indices for more.

    Returns:
        (b,) float64; positive exactly where the net is right, ties are not.
    """
    import torch

    wide = outputs.double()
    if outputs.shape[1] == 1:
        only = wide.squeeze(1)
        return torch.where(labels > 0, only, -only)
    own = labels.clamp(min=0).unsqueeze(1)
    others = wide.scatter(1, own, -torch.inf).amax(1)
    return wide.gather(1, own).squeeze(1) - others
