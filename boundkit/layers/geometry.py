"""How the windows of convolutions and pools move over their input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.errors import ModelError
from boundkit.types import Geometry

if TYPE_CHECKING:
    from torch import nn

__all__ = ["adaptive_window", "of_module", "output_size", "whole_window"]


def _each(value: Any, dims: int) -> tuple[int, ...]:
    """Return ``value`` once per dimension."""
    if isinstance(value, int):
        return (value,) * dims
    return tuple(int(v) for v in value)


def _same(kernel: tuple[int, ...], dilation: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the padding that keeps the size; torch puts the odd one at the end."""
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return [(total // 2, total - total // 2) for total in totals]


def of_module(module: nn.Module) -> Geometry | None:
    """Return the geometry of a convolution or a pool with a fixed window.

    Args:
        module: Conv1d/2d/3d, their transposes, MaxPool or AvgPool, or subclasses.

    Returns:
        The geometry, ``"same"`` and ``"valid"`` resolved to numbers; None for any
        other module.
    """
    from torch import nn
    from torch.nn.modules import conv, pooling

    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return _of_convolution(module)
    if isinstance(module, conv._ConvTransposeNd):  # noqa: SLF001 - torch names no public parent
        return _of_convolution(module)
    dims = _dimensions(module)
    if isinstance(module, pooling._MaxPoolNd):  # noqa: SLF001 - as above
        return _of_pool(module, dims, module.dilation, "uncounted")
    if isinstance(module, pooling._AvgPoolNd):  # noqa: SLF001 - as above
        counted = "zeros" if module.count_include_pad else "uncounted"
        return _of_pool(module, dims, 1, counted)
    return None


def _dimensions(module: nn.Module) -> int:
    """Return the number of spatial dimensions by the class name; 0 if it has none."""
    for parent in type(module).__mro__:
        if parent.__module__.startswith("torch.nn.modules"):
            return next((n for n in (1, 2, 3) if f"{n}d" in parent.__name__), 0)
    return 0


def _of_convolution(module: Any) -> Geometry:
    kernel, dilation = tuple(module.kernel_size), tuple(module.dilation)
    if module.padding == "valid":
        padding = [(0, 0)] * len(kernel)
    elif module.padding == "same":
        padding = _same(kernel, dilation)
    else:
        padding = [(p, p) for p in module.padding]
    return Geometry(
        kernel=kernel,
        stride=tuple(module.stride),
        padding=tuple(padding),
        dilation=dilation,
        groups=module.groups,
        transposed=module.transposed,
        output_padding=tuple(module.output_padding) if module.transposed else (),
        padding_mode=module.padding_mode,
    )


def _of_pool(module: Any, dims: int, dilation: Any, mode: str) -> Geometry:
    padding = tuple((p, p) for p in _each(module.padding, dims))
    return Geometry(
        kernel=_each(module.kernel_size, dims),
        stride=_each(module.stride, dims),
        padding=padding,
        dilation=_each(dilation, dims),
        padding_mode=mode if any(p > 0 for p, _ in padding) else "zeros",
    )


def adaptive_window(
    source: tuple[int, ...], target: tuple[int, ...]
) -> Geometry | None:
    """Return the window of an adaptive pool, or None where windows differ in size.

    Args:
        source: Positions per dimension before the pool.
        target: Positions per dimension after it.

    Returns:
        Windows side by side, where each size divides.
    """
    if len(source) != len(target) or any(
        t == 0 or s % t for s, t in zip(source, target, strict=True)
    ):
        return None
    window = tuple(s // t for s, t in zip(source, target, strict=True))
    return Geometry(window, window, ((0, 0),) * len(window), (1,) * len(window))


def whole_window(size: tuple[int, ...]) -> Geometry:
    """Return one window over all positions."""
    none = ((0, 0),) * len(size)
    return Geometry(size, size, none, (1,) * len(size))


def output_size(geometry: Geometry, size: tuple[int, ...]) -> tuple[int, ...]:
    """Return how many positions per dimension come out.

    Args:
        geometry: Of a convolution or a pool.
        size: Positions per dimension that go in.

    Returns:
        As many numbers as ``size`` has.

    Raises:
        ModelError: The window has another number of dimensions, or does not fit.
    """
    if len(size) != len(geometry.kernel):
        raise ModelError(
            f"a window of {len(geometry.kernel)} dimensions cannot move over"
            f" {len(size)}; check the input shape"
        )
    reach = [
        d * (k - 1) for k, d in zip(geometry.kernel, geometry.dilation, strict=True)
    ]
    pads = [sum(pair) for pair in geometry.padding]
    rows = zip(size, geometry.stride, pads, reach, strict=True)
    if geometry.transposed:
        extra = geometry.output_padding or (0,) * len(size)
        found = [
            (n - 1) * s - p + r + e + 1
            for (n, s, p, r), e in zip(rows, extra, strict=True)
        ]
    else:
        found = [(n + p - r - 1) // s + 1 for n, s, p, r in rows]
    if min(found, default=1) < 1:
        raise ModelError(
            f"a window of {geometry.kernel} does not fit into positions {size}; check"
            " the input shape"
        )
    return tuple(found)
