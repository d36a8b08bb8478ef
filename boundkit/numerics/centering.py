"""Features less the mean of their class, a part that the cache holds at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["Centering", "add_rows", "row_lengths"]

#: Bytes of centered features at a time: with as many of their means they fill half of a
#: second-level cache of 2 MiB.
_HELD = 2**19
#: The same on other devices, which want more at once.
_FAR = 2**27
#: Classes up to which a product subtracts means faster than rows that are looked up.
_FEW = 32
#: Numbers of a row whose squares float32 adds up without losing more than it rounds.
_PIECE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Centering:
    """What features are taken less.

    Attributes:
        pivot: (C, p), float64 or float32.
        work: Of the differences.
        rows: Samples at a time.
        own: (rows, p) room for the pivots of some; None where classes are few.
    """

    pivot: torch.Tensor
    work: torch.dtype
    rows: int
    own: torch.Tensor | None

    @classmethod
    def of(cls, pivot: torch.Tensor, work: torch.dtype) -> Centering:
        """Prepare pivots.

        Args:
            pivot: (C, p) finite numbers; float32 only where all features and ``work``
                are, too.
            work: Of the differences.
        """
        classes, width = pivot.shape
        near = pivot.device.type == "cpu"
        few = near and classes <= _FEW
        held = (2 * _HELD if few else _HELD) if near else _FAR
        rows = max(1, held // (width * work.itemsize))
        return cls(pivot, work, rows, None if few else pivot.new_empty(rows, width))

    def apply(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        off: torch.Tensor,
        basis: torch.Tensor | None = None,
        out: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return ``||h - pivot_c||`` (b,) float64; the differences are left in ``off``.

        Args:
            features: (b, p) of any floating dtype.
            labels: (b,) int64, 0..C-1.
            off: (b, p) room; or room for `rows` of them, that is used again.
            basis: (p, r), to multiply the differences with while the cache has them.
            out: (b, r) room for the products.
        """
        import torch

        n, rows = len(features), self.rows
        sizes = off.new_empty(n)
        offs = torch.split(off, rows) if len(off) >= n else repeat(off)
        outs = repeat(None) if out is None else torch.split(out, rows)
        parts = zip(
            torch.split(features, rows),
            torch.split(self._keys(labels), rows),
            torch.split(sizes, rows),
            offs,
            outs,
            strict=False,
        )
        for part, keys, lengths, room, products in parts:
            some = room.narrow(0, 0, part.shape[0])
            self._subtract(part, keys, some)
            lengths.copy_(row_lengths(some))
            if basis is not None:
                torch.mm(some, basis, out=products)
        return sizes.double()

    def inside(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        off: torch.Tensor,
        basis: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ``||h - pivot_c||`` (b,), and the differences in the basis (b, r).

        Args:
            features: (b, p) of any floating dtype.
            labels: (b,) int64, 0..C-1.
            off: (at least b or `rows`, p) room; it holds the differences where there is
                no basis, and is what is returned then.
            basis: (p, r) of the room's dtype, or None.
        """
        import torch

        n = len(features)
        if basis is None:
            off = off.narrow(0, 0, n)
            return self.apply(features, labels, off), off
        found = off.new_empty(n, basis.shape[1])
        if len(off) == self.rows:
            return self.apply(features, labels, off, basis, found), found
        off = off.narrow(0, 0, n)
        sizes = self.apply(features, labels, off)
        torch.mm(off, basis, out=found)
        return sizes, found

    def _keys(self, labels: torch.Tensor) -> torch.Tensor:
        if self.own is not None:
            return labels
        one = self.pivot.new_zeros(len(labels), len(self.pivot))
        return one.scatter_(1, labels.unsqueeze(1), 1)

    def _subtract(
        self, features: torch.Tensor, keys: torch.Tensor, off: torch.Tensor
    ) -> None:
        """Subtract rows of pivots; their products with 1 and 0 are exact."""
        import torch

        if self.own is not None:
            own = self.own.narrow(0, 0, features.shape[0])
            torch.index_select(self.pivot, 0, keys, out=own)
        if features.dtype == self.pivot.dtype == off.dtype:
            if self.own is None:
                torch.addmm(features, keys, self.pivot, alpha=-1, out=off)
            else:
                torch.sub(features, own, out=off)
            return
        # Mixed dtypes would be converted far more slowly than a copy is.
        wide = off if off.dtype == self.pivot.dtype else off.to(self.pivot.dtype)
        wide.copy_(features)
        if self.own is None:
            wide.addmm_(keys, self.pivot, alpha=-1)
        else:
            wide.sub_(own)
        if wide is not off:
            off.copy_(wide)


def add_rows(
    total: torch.Tensor, rows: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Add to every row that of its class, in place, and return it.

    Args:
        total: (b, p).
        rows: (C, p) of the same dtype.
        labels: (b,) int64, 0..C-1.
    """
    import torch

    held = _HELD if total.device.type == "cpu" else _FAR
    step = max(1, held // (total.shape[1] * total.itemsize))
    room = total.new_empty(min(step, len(total)), total.shape[1])
    for part, own in zip(
        torch.split(total, step), torch.split(labels, step), strict=True
    ):
        some = room.narrow(0, 0, part.shape[0])
        part.add_(torch.index_select(rows, 0, own, out=some))
    return total


def row_lengths(rows: torch.Tensor) -> torch.Tensor:
    """Return the Euclidean length of every row.

    Args:
        rows: (b, p) float64 or float32.

    Returns:
        (b,) float64.
    """
    import torch

    if rows.dtype == torch.float64 or rows.shape[1] <= _PIECE:
        return _lengths(rows).double()
    pieces = torch.split(rows, _PIECE, 1)
    lengths = torch.stack([_lengths(one) for one in pieces], 1)
    joined: torch.Tensor = torch.linalg.vector_norm(lengths.double(), dim=1)
    return joined


def _lengths(rows: torch.Tensor) -> torch.Tensor:
    import numpy as np
    import torch

    if rows.device.type != "cpu":
        lengths: torch.Tensor = torch.linalg.vector_norm(rows, dim=1)
        return lengths
    seen = rows.numpy()
    # BLAS's dot product of every row: three times as fast as torch's norm.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return torch.from_numpy(np.vecdot(seen, seen)).sqrt_()
