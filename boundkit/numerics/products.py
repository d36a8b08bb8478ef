"""Whether float32 products are what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["keeps_digits"]

#: Rows and columns from which on a library may take products of fewer digits.
_SIDE = 64


def keeps_digits(device: torch.device | str) -> bool:
    """Say whether products of float32 matrices there keep 24 binary digits.

    ``torch.set_float32_matmul_precision`` and its like allow bfloat16 or TF32 instead,
    which round by up to 1 in 256. They have several interfaces, so it is tried.

    Args:
        device: Where products will be taken; elsewhere than on the CPU it is waited for.
    """
    import torch

    # 1 + 2^-12 is 1 in bfloat16 and in TF32.
    side = torch.full((_SIDE, _SIDE), 1 + 2**-12, dtype=torch.float32, device=device)
    product = torch.mm(side, side, out=torch.empty_like(side))
    return float(product[0, 0]) > _SIDE * (1 + 2**-12)
