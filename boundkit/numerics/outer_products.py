"""Sums of outer products, half of them, at the speed of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["add_outer", "symmetric"]


def add_outer(total: torch.Tensor, rows: torch.Tensor) -> None:
    """Add ``rows^T rows`` to the lower triangle of ``total``, in place.

    What stands above the diagonal is not defined afterward; see `symmetric`.

    Args:
        total: (p, p) float64, contiguous.
        rows: (b, p) float64, on the same device.
    """
    if total.device.type != "cpu":
        total.addmm_(rows.mT, rows)
        return
    from scipy.linalg.blas import dsyrk

    # A row-major lower triangle is a column-major upper one; half of the products of a
    # general multiplication are saved.
    found = total.numpy().T
    dsyrk(1.0, rows.contiguous().numpy().T, beta=1.0, c=found, overwrite_c=1)


def symmetric(lower: torch.Tensor) -> torch.Tensor:
    """Return the symmetric matrix whose lower triangle is given.

    Args:
        lower: (p, p); only what is on and below the diagonal counts.
    """
    return lower.tril() + lower.tril(-1).mT
