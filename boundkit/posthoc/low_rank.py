"""Matrices as products of two thin ones, exact where the inputs vary most."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["factored"]


def factored(
    weight: torch.Tensor, second_moment: torch.Tensor, rank: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the product of rank r that changes the outputs of a layer least.

    With U the leading eigenvectors of ``W C W^T``, ``U (U^T W)`` minimizes
    ``E |W x - W' x|^2`` over all W' of that rank (Eckart and Young, for ``W C^(1/2)``).
    For that U, ``U^T W`` is the least-squares refit of the second factor.

    Args:
        weight: (outputs, inputs).
        second_moment: (inputs, inputs), C = E x x^T.
        rank: r, at most the number of outputs.

    Returns:
        (outputs, r) and (r, inputs), scaled so that column k of the one and row k of
        the other have the same norm.
    """
    import torch

    wide = weight.double()
    moments = wide @ second_moment.double() @ wide.mT
    left = torch.linalg.eigh(moments)[1].narrow(1, len(wide) - rank, rank)
    right = left.mT @ wide
    scale = right.norm(dim=1).clamp(min=torch.finfo(wide.dtype).tiny).sqrt()
    return left * scale, right / scale.unsqueeze(1)
