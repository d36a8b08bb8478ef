"""The largest singular value of a convolution on whole maps, from below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray

    from boundkit.types import Geometry

__all__ = ["convolution", "operator_norm"]


def convolution(
    weight: torch.Tensor, geometry: Geometry
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the convolution as a function of (1, channels, *positions).

    Args:
        weight: (out, in / groups, *kernel), or (in, out / groups, *kernel) transposed.
        geometry: Of the convolution.
    """
    from torch.nn import functional

    dims = len(geometry.kernel)
    name = ("conv_transpose" if geometry.transposed else "conv") + f"{dims}d"
    apply = getattr(functional, name)
    settings = {
        "stride": geometry.stride,
        "dilation": geometry.dilation,
        "groups": geometry.groups,
    }
    if geometry.transposed:
        low = [pair[0] for pair in geometry.padding]
        extra = geometry.output_padding or (0,) * dims
        return lambda x: apply(x, weight, padding=low, output_padding=extra, **settings)
    return lambda x: apply(_padded(x, geometry), weight, **settings)


def _padded(x: torch.Tensor, geometry: Geometry) -> torch.Tensor:
    from torch.nn import functional

    mode = "constant" if geometry.padding_mode == "zeros" else geometry.padding_mode
    ends = [end for pair in reversed(geometry.padding) for end in pair]
    return functional.pad(x, ends, mode=mode) if any(ends) else x


def operator_norm(
    weight: NDArray[np.float32 | np.float64],
    geometry: Geometry,
    sizes: Sequence[int],
    *,
    tolerance: float = 1e-8,
    steps: int = 200,
) -> tuple[float, float]:
    """Return the operator norm of a convolution from below, and how well it is known.

    Golub-Kahan-Lanczos bidiagonalization with full reorthogonalization from a fixed
    random start; Golub and Kahan (1965). Stops when some singular value is known to lie
    within ``tolerance`` relative of the estimate.

    Args:
        weight: (out, in / groups, *kernel), or (in, out / groups, *kernel) transposed.
        geometry: Of the convolution.
        sizes: Input positions along each axis.
        tolerance: Relative residual to stop at.
        steps: Most applications of the convolution and its adjoint.

    Returns:
        The estimate, and the residual: a singular value lies within it of the estimate.
    """
    import torch

    w = torch.from_numpy(np.ascontiguousarray(weight))
    channels = weight.shape[0]
    if not geometry.transposed:
        channels = weight.shape[1] * geometry.groups
    apply = convolution(w, geometry)
    source = torch.zeros(1, channels, *sizes, dtype=w.dtype, requires_grad=True)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(source.shape, dtype=w.dtype, generator=generator)
    image = apply(source)

    def adjoint(y: torch.Tensor) -> torch.Tensor:
        (pulled,) = torch.autograd.grad(
            image, source, y.reshape(image.shape), retain_graph=True
        )
        return pulled.reshape(-1)

    def forward(x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return apply(x.reshape(source.shape)).reshape(-1)

    limit = min(steps, source.numel(), image.numel() + 1)
    return _lanczos(forward, adjoint, start.reshape(-1), tolerance, limit)


def _orthogonal(x: torch.Tensor, to: Sequence[torch.Tensor]) -> torch.Tensor:
    import torch

    for _ in range(2 if to else 0):
        basis = torch.stack(list(to))
        x = torch.sub(x, basis.T @ (basis @ x))
    return x


def _lanczos(
    forward: Callable[[torch.Tensor], torch.Tensor],
    adjoint: Callable[[torch.Tensor], torch.Tensor],
    start: torch.Tensor,
    tolerance: float,
    steps: int,
) -> tuple[float, float]:
    right: list[torch.Tensor] = [start / start.norm()]
    left: list[torch.Tensor] = []
    diagonal: list[float] = []
    above: list[float] = []
    found, residual = 0.0, math.inf
    for _ in range(steps):
        u = _orthogonal(forward(right[-1]), left)
        length = float(u.norm())
        if length <= 1e-13 * max(diagonal, default=1e-280):
            return _exhausted(diagonal, above), 0.0
        diagonal.append(length)
        left.append(u / length)
        v = _orthogonal(adjoint(left[-1]), right)
        beta = float(v.norm())
        vectors, values, _ = np.linalg.svd(np.diag(diagonal) + np.diag(above, 1))
        found, residual = float(values[0]), beta * abs(float(vectors[-1, 0]))
        if residual <= tolerance * found:
            break
        above.append(beta)
        right.append(v / beta)
    return found, residual


def _exhausted(diagonal: list[float], above: list[float]) -> float:
    """Return the norm where the whole range has been visited."""
    if not diagonal:
        return 0.0
    band = np.zeros((len(diagonal), len(diagonal) + 1))
    band[:, :-1] += np.diag(diagonal)
    band[:, 1:] += np.diag(above)
    return float(np.linalg.svd(band, compute_uv=False)[0])
