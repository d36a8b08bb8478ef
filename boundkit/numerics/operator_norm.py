r"""The largest singular value of a layer on whole maps, bounded from above.

A certificate needs a number that is not below the truth. A zero-padded convolution is a
piece of a convolution on a large enough torus (embed the input, keep some outputs), and
that one is block-diagonal in the Fourier basis, so

    ||T|| <= max over the frequencies of the torus of sigma_max(sum_t W_t exp(-i f t)).

A stride s is a convolution without stride on maps whose s^d phases are channels; a
transposed convolution is the adjoint of one. Power iterations and Lanczos, in contrast,
approach the norm from below and belong in tables only (lanczos.py).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.numerics.path_counts import conv_edges, output_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from boundkit.types import Geometry

__all__ = ["filter_matrices", "upper_bound"]

#: Floating-point operations that a bound may cost: a few seconds.
_BUDGET = 5e10
#: Relative rounding of float64 transforms and factorizations, generously.
_ROUNDING = 1e-9
#: Elements of complex blocks that are factorized together.
_BLOCK = 2**21


def _largest(blocks: NDArray[np.complex128] | NDArray[np.float64]) -> float:
    """Return the largest singular value among (batch, m, n) matrices."""
    if blocks.shape[1] > blocks.shape[2]:
        blocks = blocks.conj().swapaxes(1, 2)
    step = max(1, _BLOCK // max(blocks.shape[1] * blocks.shape[2], 1))
    top = 0.0
    for first in range(0, blocks.shape[0], step):
        part = blocks[first : first + step]
        gram = part @ part.conj().swapaxes(1, 2)
        top = max(top, float(np.linalg.eigvalsh(gram)[:, -1].max()))
    return math.sqrt(max(top, 0.0))


def _cost(batch: int, rows: int, columns: int) -> float:
    small, large = min(rows, columns), max(rows, columns)
    return batch * (2.0 * small**2 * large + 10.0 * small**3)


def filter_matrices(
    weight: NDArray[np.float64], geometry: Geometry | None
) -> NDArray[np.float64]:
    """Return (groups, m, n) filter matrices, of the adjoint for transposed convolutions.

    Args:
        weight: (out, in) or the weight of a convolution, (first, second, *kernel).
        geometry: None for a dense layer.
    """
    groups = 1 if geometry is None else geometry.groups
    return weight.reshape(groups, weight.shape[0] // groups, -1)


def _by_overlap(spectral: float, geometry: Geometry, sizes: Sequence[int]) -> float:
    """Bound the norm by that of the filter matrix and how many patches an input is in.

    ``||T z||^2 <= s^2 sum_q ||patch_q||^2``, and every input is in at most m patches.
    """
    many = [
        (e.into() if geometry.transposed else e.out_of()).max()
        for e in conv_edges(geometry, sizes)
    ]
    return spectral * math.sqrt(math.prod(map(float, many)))


def _by_sums(
    weight: NDArray[np.float64], geometry: Geometry, sizes: Sequence[int]
) -> float:
    """Return ``sqrt(||T||_1 ||T||_inf)`` with every tap counted at every position."""
    del sizes
    entries = np.abs(weight).reshape(geometry.groups, -1, *weight.shape[1:])
    taps = tuple(range(3, entries.ndim))
    # One input meets at most ceil(reach / stride) taps per axis; all of them is safe.
    by_row = entries.sum(axis=(2, *taps)).max()
    by_column = entries.sum(axis=(1, *taps)).max()
    return math.sqrt(float(by_row) * float(by_column))


def _phases(
    weight: NDArray[np.float64], geometry: Geometry, outputs: Sequence[int]
) -> tuple[NDArray[np.float64], list[int]]:
    """Return (groups, m, n, *coarse kernel) without stride, and the size of the torus.

    Args:
        weight: (first, second, *kernel).
        geometry: Of the convolution from second to first.
        outputs: Output positions of that convolution along each axis.
    """
    groups, dims = geometry.groups, len(geometry.kernel)
    w = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    torus = []
    for axis in range(dims):
        at = 3 + axis
        reach = geometry.dilation[axis] * (geometry.kernel[axis] - 1) + 1
        # At a single output position the stride does not matter.
        stride = geometry.stride[axis] if outputs[axis] > 1 else reach
        coarse = -(-reach // stride)
        spread = np.zeros((*w.shape[:at], coarse * stride, *w.shape[at + 1 :]))
        where: list[slice] = [slice(None)] * w.ndim
        where[at] = slice(0, reach, geometry.dilation[axis])
        spread[tuple(where)] = w
        split = spread.reshape(
            *spread.shape[:at], coarse, stride, *spread.shape[at + 1 :]
        )
        moved = np.moveaxis(split, at + 1, 3)
        w = moved.reshape(*moved.shape[:2], -1, *moved.shape[4:])
        torus.append(outputs[axis] + coarse - 1 if coarse > 1 else 1)
    return w, torus


def _by_fourier(
    weight: NDArray[np.float64], geometry: Geometry, outputs: Sequence[int]
) -> float | None:
    """Return the norm of the convolution on the torus; None if that costs too much."""
    w, torus = _phases(weight, geometry, outputs)
    batch = math.prod(torus) * geometry.groups
    if 2 * _cost(batch, w.shape[1], w.shape[2]) > _BUDGET:
        return None
    axes = tuple(range(3, w.ndim))
    hat = np.fft.rfftn(w, s=torus, axes=axes)
    blocks = np.moveaxis(hat, (1, 2), (-2, -1))
    return _largest(blocks.reshape(-1, w.shape[1], w.shape[2]))


def _copies(geometry: Geometry, sizes: Sequence[int]) -> float:
    """Return the norm of padding that copies inputs; 1 for zeros.

    Each input appears in at most m padded positions, so the norm is at most sqrt(m).
    """
    if geometry.transposed or geometry.padding_mode == "zeros":
        return 1.0
    many = 1.0
    for (low, high), size in zip(geometry.padding, sizes, strict=True):
        if geometry.padding_mode == "replicate":
            many *= 1 + max(low, high) if size > 1 else 1 + low + high
        else:
            many *= 1 + -(-low // size) + -(-high // size)
    return math.sqrt(many)


def upper_bound(
    weight: NDArray[np.float64], geometry: Geometry | None, sizes: Sequence[int]
) -> float:
    """Return a number that the operator norm of a layer does not exceed.

    The smallest of: the norm on the torus (Sedghi, Gupta, Long (2019), Theorem 6, for a
    map padded to the size at which nothing wraps around), the filter matrix times the
    root of the number of patches that an input is in, sqrt(||T||_1 ||T||_inf). For a
    dense layer, its largest singular value, or its Frobenius norm where that would take
    too long. Rounding is covered by a factor 1 + 1e-9.

    Args:
        weight: (out, in), or the weight of a convolution.
        geometry: None for a dense layer.
        sizes: Input positions along each axis.
    """
    top = float(np.max(np.abs(weight), initial=0.0))
    if top == 0:
        return 0.0
    unit = weight / top
    matrices = filter_matrices(unit, geometry)
    spectral = math.sqrt(float(np.einsum("gij,gij->g", matrices, matrices).max()))
    if _cost(*matrices.shape) <= _BUDGET:
        spectral = _largest(matrices)
    if geometry is None:
        return top * spectral * (1 + _ROUNDING)
    outputs = [output_size(geometry, axis, size) for axis, size in enumerate(sizes)]
    maps = list(sizes) if geometry.transposed else outputs
    found = [
        _by_overlap(spectral, geometry, sizes),
        _copies(geometry, sizes) * _by_sums(unit, geometry, sizes),
    ]
    fourier = _by_fourier(unit, geometry, maps)
    if fourier is not None:
        found.append(_copies(geometry, sizes) * fourier)
    return top * min(found) * (1 + _ROUNDING)
