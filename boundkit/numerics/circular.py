"""All singular values of a convolution on a torus."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

__all__ = ["circular_singular_values"]

#: Elements of complex blocks that are decomposed together.
_BLOCK = 2**22


def _symbols(
    weight: torch.Tensor, sizes: Sequence[int], strides: Sequence[int]
) -> torch.Tensor:
    """Return (*output frequencies, first, second * phases), half of the last axis.

    A stride adds up the frequencies that look alike on the coarser grid.
    """
    import torch

    axes = tuple(range(2, weight.ndim))
    if max(strides) == 1:
        hat = torch.fft.rfftn(weight, s=tuple(sizes), dim=axes)
        return torch.movedim(hat, (0, 1), (-2, -1))
    hat = torch.movedim(
        torch.fft.fftn(weight, s=tuple(sizes), dim=axes), (0, 1), (-2, -1)
    )
    coarse = [size // stride for size, stride in zip(sizes, strides, strict=True)]
    pieces = []
    for aliases in product(*map(range, strides)):
        cut = hat
        for axis, (alias, many) in enumerate(zip(aliases, coarse, strict=True)):
            last = axis == len(coarse) - 1
            cut = cut.narrow(axis, alias * many, many // 2 + 1 if last else many)
        pieces.append(cut)
    return torch.cat(pieces, dim=-1) / math.sqrt(math.prod(strides))


def circular_singular_values(
    weight: torch.Tensor,
    sizes: Sequence[int],
    *,
    stride: Sequence[int] | None = None,
    dilation: Sequence[int] | None = None,
    groups: int = 1,
) -> torch.Tensor:
    """Return every singular value of a convolution that wraps around, largest first.

    On a torus the matrix is block-diagonal in the Fourier basis; Sedghi, Gupta, Long
    (2019), Theorem 6. The symbols of a real kernel at f and -f are conjugates, so half
    of them are decomposed. Zero padding is another operator with other singular values;
    ``operator_norm`` in lanczos.py has its norm.

    Args:
        weight: (out, in / groups, *kernel), float32 or float64, on any device. The
            singular values are as precise as the dtype, relative to the largest.
        sizes: Positions along each axis of the input.
        stride: Along each axis; 1 by default.
        dilation: Along each axis; 1 by default.
        groups: Of channels.

    Returns:
        (n,) in the dtype and on the device of ``weight``: min(out, in * prod(stride))
        values per group for each output position, leaving out zeros beyond them.

    Raises:
        UsageError: A size is no multiple of the stride, or too small for the kernel.
    """
    import torch

    dims = weight.ndim - 2
    strides = tuple(stride or (1,) * dims)
    dilations = tuple(dilation or (1,) * dims)
    for size, step, wide, taps in zip(
        sizes, strides, dilations, weight.shape[2:], strict=True
    ):
        if size % step or size < wide * (taps - 1) + 1:
            raise UsageError(
                f"sizes must be multiples of the stride and hold the kernel, but size"
                f" {size} meets stride {step} and {taps} taps at dilation {wide}; give"
                " other sizes"
            )
    spread = weight
    for axis, wide in enumerate(dilations, 2):
        holes = [torch.zeros_like(spread)] * (wide - 1)
        apart = torch.stack([spread, *holes], dim=axis + 1).flatten(axis, axis + 1)
        spread = apart.narrow(axis, 0, apart.shape[axis] - wide + 1)
    found = [
        _values(part, sizes, strides)
        for part in spread.reshape(groups, -1, *spread.shape[1:])
    ]
    return torch.sort(torch.cat(found), descending=True).values


def _values(
    weight: torch.Tensor, sizes: Sequence[int], strides: Sequence[int]
) -> torch.Tensor:
    import torch

    symbols = _symbols(weight, sizes, strides)
    shape = symbols.shape
    flat = symbols.reshape(-1, *shape[-2:])
    step = max(1, _BLOCK // max(shape[-1] * shape[-2], 1))
    values = torch.cat([torch.linalg.svdvals(part) for part in torch.split(flat, step)])
    values = values.reshape(*shape[:-2], -1)
    # The first frequency of the half axis, and the middle one of an even axis, are
    # their own mirror images; all others stand for two.
    positions = sizes[-1] // strides[-1]
    axis = len(sizes) - 1
    twice = values.narrow(axis, 1, (positions - 1) // 2)
    return torch.cat([values.reshape(-1), twice.reshape(-1)])
