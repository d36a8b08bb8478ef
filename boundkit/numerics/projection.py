"""Where features lie in a few directions, from products of the features themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["Places", "Projection", "projection_of"]

#: Bytes of features at a time, which stay in the second-level cache.
_BLOCK = 2**19
#: Bits of float64 and float32; the least squared distance of a sample from its mean as a
#: share of what it is a difference of; the same of the mean square in any direction. What
#: rounding takes of them averages out over samples and directions to the
#: 1e-10 and 1e-6 that the two promise.
_SHARE = {64: 1e-5, 32: 1e-2}
_THIN = {64: 1e-9, 32: 1e-6}


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the samples of a batch lie.

    Attributes:
        placed: (b, r) less the mean of the class means, in some basis.
        sizes: (b,) float64 distances to their classes' means.
        lengths: (b,) the same, of what the basis sees.
        far: (b,) float64 distances to the mean of the class means.
        reach: (b,) lengths which rounding errors of all of them are proportional to.
    """

    placed: torch.Tensor
    sizes: torch.Tensor
    lengths: torch.Tensor
    far: torch.Tensor
    reach: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Products of features with directions, and what they are differences of.

    Where directions are few, to subtract its mean from each sample costs more than all
    else. Here places and squared lengths are multiplied first and subtracted afterward,
    of which as many digits remain as features are not much longer than their distances
    from the means; so whoever uses this asks `accurate`.

    Attributes:
        factors: (p, r + 1) orthonormal columns, and the origin; on the CPU.
        place: (r,) float64, the origin in the basis.
        square: Squared length of the origin.
        room: (rows, p) of the factors' dtype, used again for each part.
        share: (1,) least squared distance of a sample, as a share of what it is a
            difference of.
        total: (1,) sum of squared lengths.
    """

    factors: torch.Tensor
    place: torch.Tensor
    square: float
    room: torch.Tensor
    share: torch.Tensor
    total: torch.Tensor

    @classmethod
    def of(
        cls, basis: torch.Tensor, origin: torch.Tensor, work: torch.dtype
    ) -> Projection:
        """Prepare directions.

        Args:
            basis: (p, r) orthonormal columns, float64, on the CPU.
            origin: (p,) float64.
            work: Of the products, float64 or float32.
        """
        import torch

        rows = max(1, _BLOCK // (len(origin) * work.itemsize))
        return cls(
            factors=torch.cat([basis, origin.unsqueeze(1)], 1).to(work),
            place=origin @ basis,
            square=float(origin @ origin),
            room=basis.new_empty(rows, len(origin), dtype=work),
            share=basis.new_full((1,), torch.inf),
            total=basis.new_zeros(1),
        )

    def apply(
        self, features: torch.Tensor, shift: torch.Tensor
    ) -> tuple[torch.Tensor, Places]:
        """Return differences from class means in the basis (b, r), and places.

        Args:
            features: (b, p) of any floating dtype, on the CPU.
            shift: (b, r) float64: the mean of each one's class less the origin, in the
                basis; overwritten.
        """
        import torch

        products, squares = self._products(features)
        placed = products[:, :-1] - self.place
        # In the same room: fresh memory costs more than the arithmetic.
        inside = torch.sub(placed, shift, out=shift)
        across, lengths = _squares(placed), _squares(inside)
        far = squares.add(products[:, -1], alpha=-2).add_(self.square)
        sizes = far - across + lengths
        raw = squares.add_(self.square)
        self.total.add_(raw.sum())
        # NaN stays NaN, and is never enough.
        self.share.copy_(self.share.minimum(sizes.div(raw).amin()))
        places = Places(
            placed=placed,
            sizes=sizes.clamp_(min=0).sqrt_(),
            lengths=lengths.sqrt_(),
            far=far.clamp_(min=0).sqrt_(),
            reach=raw.sqrt_(),
        )
        return inside, places

    def _products(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return float64 products with the factors (b, r + 1), squared lengths (b,)."""
        import numpy as np
        import torch

        n, rows = len(features), len(self.room)
        products = self.room.new_empty(n, self.factors.shape[1])
        squares = self.room.new_empty(n)
        same = features.dtype == self.room.dtype
        parts = (
            torch.split(one, rows) for one in (features.detach(), products, squares)
        )
        # What overflows is told by `accurate`.
        with np.errstate(over="ignore", invalid="ignore"):
            for part, into, lengths in zip(*parts, strict=True):
                wide = part if same else self.room[: part.shape[0]].copy_(part)
                seen = wide.numpy()
                # BLAS's dot product of every row: three times as fast as torch's norm.
                np.vecdot(seen, seen, out=lengths.numpy())
                torch.mm(wide, self.factors, out=into)
        return products.double(), squares.double()

    def accurate(self, within: torch.Tensor | None = None) -> bool:
        """Say whether so much of everything so far is right as its dtype promises.

        Args:
            within: (r, r) sum of the outer products of the differences; None if only
                the distances are to be judged.
        """
        import torch

        bits = torch.finfo(self.room.dtype).bits
        if not float(self.share) >= _SHARE[bits]:
            return False
        if within is None:
            return True
        least = torch.linalg.eigvalsh(within)[0]
        return bool(least >= _THIN[bits] * self.total)


def _squares(rows: torch.Tensor) -> torch.Tensor:
    import numpy as np
    import torch

    seen = rows.numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        return torch.from_numpy(np.einsum("ij,ij->i", seen, seen))


def projection_of(
    basis: torch.Tensor,
    origin: torch.Tensor,
    work: torch.dtype,
    dtype: torch.dtype | None,
) -> Projection | None:
    """Return the products that lose no digits before they are taken; None off the CPU.

    Args:
        basis: (p, r) orthonormal columns, float64.
        origin: (p,) float64.
        work: Of the products where the features are narrow.
        dtype: Of the features; None if it is not known.
    """
    import torch

    if basis.device.type != "cpu":
        return None
    narrow = {torch.float32, torch.float16, torch.bfloat16}
    return Projection.of(basis, origin, work if dtype in narrow else torch.float64)
