"""Sums of outer products, half of them, at the speed of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["add_outer", "symmetric"]

#: Rows of a float32 sum that are added to the float64 total at a time.
_ROWS = 256
#: Columns up to which all products cost less than to call for half of them.
_SMALL = 32


def add_outer(total: torch.Tensor, rows: torch.Tensor, sign: int = 1) -> None:
    """Add ``rows^T rows`` to the lower triangle of ``total``, in place.

    What stands above the diagonal is not defined afterward; see `symmetric`.

    Args:
        total: (p, p) float64, contiguous.
        rows: (b, p) on the same device; of float32 ones the products are float32, too.
        sign: -1 to subtract.
    """
    import torch

    single = rows.dtype == torch.float32
    if total.device.type != "cpu" or len(total) <= _SMALL:
        if single:
            products = torch.empty_like(total, dtype=torch.float32)
            total.add_(torch.mm(rows.mT, rows, out=products), alpha=sign)
        else:
            total.addmm_(rows.mT, rows, alpha=sign)
        return
    from scipy.linalg import blas

    # A row-major lower triangle is a column-major upper one; half of the products of a
    # general multiplication are saved.
    columns = rows.contiguous().numpy().T
    if not single:
        blas.dsyrk(sign, columns, beta=1.0, c=total.numpy().T, overwrite_c=1)
        return
    # Room of its own that nobody fills with zeros first: with beta 0 it is not read.
    room = torch.empty_like(total, dtype=torch.float32).numpy().T
    found = blas.ssyrk(sign, columns, beta=0.0, c=room, overwrite_c=1)
    products = torch.from_numpy(found.T)
    for low in range(0, len(total), _ROWS):
        high = low + _ROWS
        total[low:high, :high] += products[low:high, :high]


def symmetric(lower: torch.Tensor) -> torch.Tensor:
    """Return the symmetric matrix whose lower triangle is given.

    Args:
        lower: (p, p); only what is on and below the diagonal counts.
    """
    if lower.device.type != "cpu":
        return lower.tril() + lower.tril(-1).mT
    whole = lower.clone()
    # A few rows at a time, which the cache holds while columns are made of them.
    for low in range(0, len(whole), _ROWS):
        high = low + _ROWS
        whole[:low, low:high] = whole[low:high, :low].mT
        corner = whole[low:high, low:high].tril()
        whole[low:high, low:high] = corner + corner.tril(-1).mT
    return whole
