"""All singular values of a convolution on a torus."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

__all__ = ["circular_singular_values"]

#: Elements of complex blocks that are decomposed together.
_BLOCK = 2**20


def _grid(sizes: Sequence[int], device: torch.device) -> torch.Tensor:
    """Return (n, axes): all places of a grid, the last axis fastest."""
    import torch

    axes = [torch.arange(size, device=device) for size in sizes]
    return torch.cartesian_prod(*axes).reshape(-1, len(sizes))


def _frequencies(
    coarse: Sequence[int], device: torch.device
) -> tuple[torch.Tensor, int]:
    """Return (n, axes) frequencies, one of each pair f and -f; so many first of pairs.

    The others are their own mirror images: those of zero or half a turn on each axis.
    """
    import torch

    places = np.indices(coarse).reshape(len(coarse), -1)
    sizes = np.asarray(coarse)[:, None]
    mirrored = np.ravel_multi_index(tuple(-places % sizes), tuple(coarse))
    own = np.arange(len(mirrored))
    pairs, alone = places[:, own < mirrored], places[:, own == mirrored]
    kept = np.concatenate([pairs, alone], axis=1).T
    return torch.from_numpy(kept.astype(np.int64)).to(device), pairs.shape[1]


def _waves(
    frequencies: torch.Tensor,
    kernel: Sequence[int],
    sizes: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> torch.Tensor:
    """Return (n, aliases, taps): what each tap contributes at each frequency.

    A stride adds up the frequencies that look alike on the coarser grid.
    """
    import torch

    device = frequencies.device
    aliases, taps = _grid(strides, device), _grid(kernel, device)
    axes = zip(frequencies.unbind(1), aliases.unbind(1), taps.unbind(1), strict=True)
    real = torch.float32 if device.type == "mps" else torch.float64
    shape = len(frequencies), len(aliases), len(taps)
    turns = torch.zeros(shape, dtype=real, device=device)
    for axis, (coarse, alias, tap) in enumerate(axes):
        size = sizes[axis]
        fine = coarse.unsqueeze(1) + alias * (size // strides[axis])
        ahead = fine.unsqueeze(2) * (tap * dilations[axis])
        # Whole turns are left out in integers, so that large maps lose no digits.
        turns += torch.remainder(ahead, size).to(real) / size
    weight = torch.full_like(turns, 1 / math.sqrt(math.prod(strides)))
    return torch.polar(weight, -2 * math.pi * turns)


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
    coarse = [size // step for size, step in zip(sizes, strides, strict=True)]
    frequencies, twice = _frequencies(coarse, weight.device)
    waves = _waves(frequencies, weight.shape[2:], sizes, strides, dilations)
    values = _values(weight, waves.to(weight.dtype.to_complex()), groups)
    found = torch.cat([values.reshape(-1), values.narrow(0, 0, twice).reshape(-1)])
    return _largest_first(found)


def _largest_first(values: torch.Tensor) -> torch.Tensor:
    import torch

    # On the CPU numpy is ten times as fast as torch, which sorts their places, too.
    if values.device.type != "cpu" or values.requires_grad:
        return torch.sort(values, descending=True).values
    return torch.from_numpy(np.sort(values.numpy())[::-1].copy())


def _values(weight: torch.Tensor, waves: torch.Tensor, groups: int) -> torch.Tensor:
    """Return (n, values) of all groups.

    Args:
        weight: (out, in / groups, *kernel).
        waves: (n, aliases, taps), complex.
        groups: Of channels.
    """
    import torch

    out, inner = weight.shape[0] // groups, weight.shape[1]
    aliases = waves.shape[1]
    # A product with few taps is faster than a transform that is mostly of zeros, and
    # writes the matrices where they are decomposed.
    taps = weight.reshape(groups * out * inner, -1).T.to(waves.dtype)
    step = max(1, _BLOCK // max(aliases * taps.shape[1], 1))
    found = []
    for part in torch.split(waves, step):
        symbols = (part.reshape(-1, part.shape[-1]) @ taps).reshape(
            -1, aliases, groups, out, inner
        )
        matrices = symbols.permute(0, 2, 3, 1, 4).flatten(3)
        # Not wide, and by columns where that is free: it is decomposed as it lies.
        tall = matrices if out > aliases * inner else matrices.mT
        found.append(torch.linalg.svdvals(tall).flatten(1))
    return torch.cat(found)
