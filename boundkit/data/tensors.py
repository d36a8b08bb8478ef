"""Arrays of any origin as torch tensors in native byte order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.numerics.blocks import array

if TYPE_CHECKING:
    import torch

    from boundkit.types import StoredTensor

__all__ = ["as_tensor", "from_stored"]


def as_tensor(values: Any) -> torch.Tensor:
    """Return ``values`` as a CPU tensor of a dtype that torch computes with.

    Types that torch has no numpy bridge for (bfloat16, float8) become float32, which
    holds each of their values exactly.

    Args:
        values: A tensor, an array, or nested lists of numbers.

    Returns:
        A tensor that shares memory with ``values`` where torch allows it.

    Raises:
        TypeError: The values are not numbers.
    """
    import torch

    if isinstance(values, torch.Tensor):
        return values.detach().cpu()
    found = np.asarray(values)
    if found.dtype.isbuiltin == 2:  # registered with numpy by ml_dtypes
        found = found.astype(np.float32)
    if found.dtype.kind not in "biufc":
        raise TypeError(f"dtype {found.dtype} holds no numbers")
    # torch warns on read-only memory and refuses foreign byte orders.
    writable = np.require(found, found.dtype.newbyteorder("="), ["W", "C"])
    return torch.from_numpy(writable)


def from_stored(tensor: StoredTensor) -> torch.Tensor:
    """Return the numbers of a stored tensor, copied from the file.

    Raises:
        NotApplicable: The numbers cannot be read; the message says why.
        Unreadable: The bytes are not there.
    """
    return as_tensor(array(tensor))
