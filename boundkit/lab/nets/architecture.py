"""What the catalog says of an architecture, and how widths and maps are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    Build = Callable[[tuple[int, int, int], int, float], nn.Module]

__all__ = ["Architecture", "after", "channels", "layers_of"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """An entry of the catalog of nets.

    Attributes:
        name: By which recipes name it.
        about: One line: layers, and where they are from.
        homogeneous: Whether it is bias-free with ReLU, so that the norms of layers can
            be pulled out of it.
        build: Image shape, outputs and width factor -> net.
    """

    name: str
    about: str
    homogeneous: bool
    build: Build


def channels(count: int, width: float) -> int:
    """Return a number of channels times the width factor, at least 1.

    Args:
        count: Of the paper's net.
        width: Factor.

    Raises:
        UsageError: The factor is not positive.
    """
    if not 0 < width < float("inf"):
        raise UsageError(f"width must be positive and finite, but got {width!r}")
    return max(1, round(count * width))


def after(side: int, kernel: int, stride: int, padding: int = 0) -> int:
    """Return the side of a map after a convolution or pooling.

    Args:
        side: Of the map before it, in pixels.
        kernel: Its side.
        stride: Its step.
        padding: Zeros on either side.

    Raises:
        UsageError: Nothing is left.
    """
    left = (side + 2 * padding - kernel) // stride + 1
    if left < 1:
        raise UsageError(
            f"a map of {side} pixels is too small for a {kernel} x {kernel} kernel; use"
            " larger images or less pooling"
        )
    return left


def layers_of(net: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    """Return the layers whose norms make rho, by name, in the order of the net."""
    return {
        name: module
        for name, module in net.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }
