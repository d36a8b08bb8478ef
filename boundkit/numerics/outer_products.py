"""Sums of outer products, half of them, at the speed of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["add_outer", "symmetric"]

#: Rows of a float32 sum that are added to the float64 total at a time.
_ROWS = 256


def add_outer(total: torch.Tensor, rows: torch.Tensor) -> None:
    """Add ``rows^T rows`` to the lower triangle of ``total``, in place.

    What stands above the diagonal is not defined afterward; see `symmetric`.

    Args:
        total: (p, p) float64, contiguous.
        rows: (b, p) on the same device; of float32 ones the products are float32, too.
    """
    import torch

    single = rows.dtype == torch.float32
    if total.device.type != "cpu":
        if single:
            products = torch.empty_like(total, dtype=torch.float32)
            total.add_(torch.mm(rows.mT, rows, out=products))
        else:
            total.addmm_(rows.mT, rows)
        return
    # A row-major lower triangle is a column-major upper one; half of the products of a
    # general multiplication are saved.
    columns = rows.contiguous().numpy().T
    if single:
        _add_single(total, columns)
        return
    from scipy.linalg.blas import dsyrk

    dsyrk(1.0, columns, beta=1.0, c=total.numpy().T, overwrite_c=1)


def _add_single(total: torch.Tensor, columns: object) -> None:
    import torch
    from scipy.linalg.blas import ssyrk

    products = torch.from_numpy(ssyrk(1.0, columns).T)
    for low in range(0, len(total), _ROWS):
        high = low + _ROWS
        total[low:high, :high] += products[low:high, :high]


def symmetric(lower: torch.Tensor) -> torch.Tensor:
    """Return the symmetric matrix whose lower triangle is given.

    Args:
        lower: (p, p); only what is on and below the diagonal counts.
    """
    return lower.tril() + lower.tril(-1).mT
