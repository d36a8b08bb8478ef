"""Outputs and decisions of a last layer, of features whose places are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.numerics.centering import row_lengths
from boundkit.numerics.largest import decision, leading

if TYPE_CHECKING:
    import torch

__all__ = ["Layer"]

#: Room for what bounds of rounding leave out, in operations.
_SPARE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A linear layer, for features less an origin in some basis.

    Attributes:
        weight: (C', p) float64.
        bias: (C',) float64, or None.
        rows: (r, C') the weight in the basis, in the precision of the products.
        constant: (C',) float64 outputs at the origin.
        size: () largest length of a row.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None
    rows: torch.Tensor
    constant: torch.Tensor
    size: torch.Tensor

    @classmethod
    def of(
        cls,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        origin: torch.Tensor,
        basis: torch.Tensor | None,
        work: torch.dtype,
    ) -> Layer:
        """Prepare a layer.

        Args:
            weight: (C', p) float64.
            bias: (C',) float64, or None.
            origin: (p,) float64.
            basis: (p, r) orthonormal columns whose span holds the weight's rows, or
                None for the whole space.
            work: Of the products.
        """
        import torch

        constant = (weight * origin).sum(1)
        rows = weight if basis is None else weight @ basis
        return cls(
            weight=weight,
            bias=bias,
            rows=rows.mT.to(work),
            constant=constant if bias is None else constant + bias,
            size=torch.linalg.vector_norm(weight, dim=1).amax(),
        )

    def decided(
        self, placed: torch.Tensor, features: torch.Tensor, errors: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return outputs, decisions, and decisions without the bias.

        Of float32 places the outputs are rounded; decisions that this could change are
        taken from the features in float64.

        Args:
            placed: (b, r) features less the origin, in the basis.
            features: (b, p) themselves.
            errors: (b,) bounds of how far ``placed`` is from its place.

        Returns:
            (b, C') float64, (b,) and (b,) int64.
        """
        import torch

        room = placed.new_empty(len(placed), self.rows.shape[1])
        # Writing into room of its own, it is not subject to autocast.
        outputs = torch.mm(placed, self.rows, out=room).double().add_(self.constant)
        plain = outputs if self.bias is None else outputs - self.bias
        unbiased = decision(plain)
        decided = unbiased if self.bias is None else decision(outputs)
        if placed.dtype == torch.float32:
            steps = torch.finfo(placed.dtype).eps / 2 * (placed.shape[1] + _SPARE)
            wrong = (errors + steps * row_lengths(placed)) * self.size
            if self.bias is not None:
                self._reconsider(decided, outputs, features, wrong, self.bias)
            self._reconsider(unbiased, plain, features, wrong, None)
        return outputs, decided, unbiased

    def _reconsider(
        self,
        chosen: torch.Tensor,
        outputs: torch.Tensor,
        features: torch.Tensor,
        wrong: torch.Tensor,
        bias: torch.Tensor | None,
    ) -> None:
        """Decide in float64, in place, what errors of outputs could decide otherwise."""
        if outputs.shape[1] == 1:
            gap = 2 * outputs.squeeze(1).abs()
        else:
            best, _, second = leading(outputs.clone())
            gap = best - second
        rest = (~(gap > 2 * wrong)).nonzero().squeeze(1)
        right = features.index_select(0, rest).double() @ self.weight.mT
        chosen[rest] = decision(right if bias is None else right + bias)
