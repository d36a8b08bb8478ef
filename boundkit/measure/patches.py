"""What the first layer sees at each of its output positions."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Literal

from boundkit.layers.geometry import output_size

if TYPE_CHECKING:
    import torch

    from boundkit.types import Geometry

__all__ = ["affordable", "patches", "spectrum"]

#: numpy's names of torch's padding modes that copy positions.
_COPYING = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
#: Largest patch and largest number of covariance entries that are accumulated.
_LARGEST_PATCH = 1600
_LARGEST_TOTAL = 20_000_000


def affordable(
    first_layer: Geometry | Literal["dense"] | None, shape: tuple[int, ...]
) -> bool:
    """Say whether the patch covariances are defined, and small enough to keep.

    Args:
        first_layer: Its geometry, ``"dense"``, or None if unknown.
        shape: Of one sample.

    Returns:
        True if q covariances of size d x d fit: d <= 1600 and q d^2 <= 2e7.
    """
    if first_layer is None:
        return False
    if first_layer == "dense":
        return prod(shape) <= _LARGEST_PATCH
    if first_layer.transposed or len(shape) != 1 + len(first_layer.kernel):
        return False
    size = shape[0] * prod(first_layer.kernel)
    positions = prod(output_size(first_layer, shape[1:]))
    return size <= _LARGEST_PATCH and positions * size**2 <= _LARGEST_TOTAL


def patches(x: torch.Tensor, first_layer: Geometry | Literal["dense"]) -> torch.Tensor:
    """Return the patches of inputs, border patches filled as the padding mode says.

    Args:
        x: (b, channels, positions...), or anything for a dense layer.
        first_layer: Its geometry; groups are ignored, a patch has all channels.

    Returns:
        (b, q, d): q output positions, d = channels times kernel size. A dense layer
        has one patch, the whole sample.
    """
    if first_layer == "dense":
        return x.flatten(1).unsqueeze(1)
    x = _padded(x, first_layer)
    dims = len(first_layer.kernel)
    for axis in range(dims):
        dilation = first_layer.dilation[axis]
        reach = dilation * (first_layer.kernel[axis] - 1) + 1
        windows = x.unfold(2 + axis, reach, first_layer.stride[axis])
        x = windows.unfold(-1, 1, dilation).squeeze(-1)
    axes = range(2, 2 + dims)
    ordered = x.permute(0, *axes, 1, *(a + dims for a in axes))
    size = x.shape[1] * prod(first_layer.kernel)
    return ordered.reshape(len(x), -1, size)


def _padded(x: torch.Tensor, geometry: Geometry) -> torch.Tensor:
    import numpy as np
    import torch
    from torch.nn import functional

    mode = _COPYING.get(geometry.padding_mode)
    if mode is None:
        ends = [end for pair in reversed(geometry.padding) for end in pair]
        return functional.pad(x, ends)
    for axis, pair in enumerate(geometry.padding):
        places = np.pad(np.arange(x.shape[2 + axis]), pair, mode=mode)  # type: ignore[call-overload] # mypy sees no Literal in a dict's values
        x = x.index_select(2 + axis, torch.from_numpy(places).to(x.device))
    return x


def spectrum(gram: torch.Tensor) -> torch.Tensor:
    """Return the eigenvalues of covariances over their trace, largest first.

    Args:
        gram: (q, d, d) symmetric, positive semidefinite.

    Returns:
        (q, d) nonnegative; each row sums to 1, or is 0 where the covariance is.
    """
    import torch

    values = torch.linalg.eigvalsh(gram).flip(-1).clamp(min=0)
    total = values.sum(-1, keepdim=True)
    return torch.where(total > 0, values / total, 0)
