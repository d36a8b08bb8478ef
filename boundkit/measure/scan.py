"""A look at every number of a checkpoint: which tensors hold NaN or infinity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.errors import NotApplicable
from boundkit.numerics.blocks import is_floating
from boundkit.numerics.norms import count_non_finite, frobenius_norm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Checkpoint, Norms, StoredTensor

__all__ = ["non_finite"]


def _suspect(tensor: StoredTensor, norm: float | None) -> bool:
    if norm is None:
        try:
            norm = frobenius_norm(tensor)
        except NotApplicable:
            return False
    return not math.isfinite(norm)


def non_finite(checkpoint: Checkpoint, norms: Norms) -> Mapping[str, tuple[int, int]]:
    """Return the numbers of NaN and infinite elements of each tensor that has any.

    Args:
        checkpoint: Its model's tensors are read; those lying beside are not.
        norms: Already computed norms save a second reading of the layers.

    Raises:
        Unreadable: The bytes of a tensor are not there.
    """
    found: dict[str, tuple[int, int]] = {}
    for name, tensor in checkpoint.tensors.items():
        if name in checkpoint.aliases or tensor.storage is None:
            continue
        if is_floating(tensor.dtype) and _suspect(tensor, norms.weight.get(name)):
            nan, infinite = count_non_finite(tensor)
            # An overflowing norm of finite numbers is no reason to call them infinite.
            if nan or infinite:
                found[name] = (nan, infinite)
    # A weight that is rebuilt from finite parts may still be undefined: 0 / 0.
    for name, norm in norms.weight.items():
        if name not in checkpoint.tensors and not math.isfinite(norm):
            found.setdefault(name, (int(math.isnan(norm)), int(math.isinf(norm))))
    return found
