"""The architectures of the headline: factories that take no arguments.

Every net maps images (b, 1, 28, 28) to scores, (b, 1) for two classes and (b, 10) for
ten. Widths are free, because the bound holds for every width at once; kernels, strides,
depths, slopes and branches make the architecture, which is counted in delta.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "Branch",
    "ResidualNet",
    "batch_norm",
    "biased",
    "dense",
    "leaky",
    "leaky_ten",
    "linear",
    "linear_ten",
    "max_pool",
    "overlap_four",
    "overlap_three",
    "relu",
    "relu_ten",
    "relu_wide",
    "residual",
    "route_one",
    "route_two",
]

_POSITIONS = 49  # 28 / 4 squared


def _linear(outputs: int) -> nn.Sequential:
    head = nn.Linear(784, outputs, bias=False)
    return nn.Sequential(OrderedDict(flatten=nn.Flatten(), head=head))


def _patches(
    width: int, slope: float, outputs: int = 1, *, bias: bool = False
) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(1, width, 4, stride=4, bias=bias),
            activation=nn.LeakyReLU(slope) if slope else nn.ReLU(),
            flatten=nn.Flatten(),
            head=nn.Linear(width * _POSITIONS, outputs, bias=bias),
        )
    )


def _overlapping(depth: int, width: int) -> nn.Sequential:
    """Return padded 3x3 convolutions of stride 2, each with a ReLU, and a dense head."""
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    channels, side = 1, 28
    for level in range(1, depth + 1):
        steps[f"conv{level}"] = nn.Conv2d(channels, width, 3, 2, padding=1, bias=False)
        steps[f"relu{level}"] = nn.ReLU()
        channels, side = width, (side + 1) // 2
    steps["flatten"] = nn.Flatten()
    steps["head"] = nn.Linear(width * side * side, 1, bias=False)
    return nn.Sequential(steps)


def linear() -> nn.Sequential:
    """Return the linear classifier of two classes, 784 weights."""
    return _linear(1)


def linear_ten() -> nn.Sequential:
    """Return the linear classifier of ten classes."""
    return _linear(10)


def dense() -> nn.Sequential:
    """Return a dense ReLU net with one hidden layer."""
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            hidden=nn.Linear(784, 128, bias=False),
            relu=nn.ReLU(),
            head=nn.Linear(128, 1, bias=False),
        )
    )


def relu() -> nn.Sequential:
    """Return one 4x4 convolution of stride 4, ReLU and a dense head.

    The smallest net with the sparse connectivity of Xu, Rangamani, Liao, Galanti, Poggio,
    "Dynamics in deep classifiers trained with the square loss", Theorem 4.
    """
    return _patches(128, 0.0)


def relu_wide() -> nn.Sequential:
    """Return ``relu`` with 1,024 channels, 66,560 weights."""
    return _patches(1024, 0.0)


def relu_ten() -> nn.Sequential:
    """Return ``relu`` with ten outputs."""
    return _patches(64, 0.0, 10)


def leaky() -> nn.Sequential:
    """Return ``relu`` with LeakyReLU(0.5)."""
    return _patches(64, 0.5)


def leaky_ten() -> nn.Sequential:
    """Return ``leaky`` with ten outputs."""
    return _patches(64, 0.5, 10)


def overlap_three() -> nn.Sequential:
    """Return three overlapping 3x3 convolutions of stride 2 with padding, and a head."""
    return _overlapping(3, 32)


def overlap_four() -> nn.Sequential:
    """Return four overlapping 3x3 convolutions of stride 2 with padding, and a head."""
    return _overlapping(4, 16)


def biased() -> nn.Sequential:
    """Return ``relu`` with biases in both layers."""
    return _patches(64, 0.0, bias=True)


def batch_norm() -> nn.Sequential:
    """Return ``relu`` with BatchNorm after the convolution."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(1, 64, 4, stride=4, bias=False),
            norm=nn.BatchNorm2d(64),
            relu=nn.ReLU(),
            flatten=nn.Flatten(),
            head=nn.Linear(64 * _POSITIONS, 1, bias=False),
        )
    )


def max_pool() -> nn.Sequential:
    """Return one 7x7 convolution of stride 7, ReLU, 2x2 max pooling and a dense head."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(1, 64, 7, stride=7, bias=False),
            relu=nn.ReLU(),
            pool=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            head=nn.Linear(64 * 4, 1, bias=False),
        )
    )


class Branch(nn.Module):
    """A 3x3 convolution, ReLU and a 1x1 convolution: what a residual block adds."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.relu = nn.ReLU()
        self.outer = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        """Map (b, channels, h, w) to the same shape."""
        out: Tensor = self.outer(self.relu(self.inner(z)))
        return out


class ResidualNet(nn.Module):
    """``relu`` with two residual blocks before the head; no ReLU follows an addition."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 4, stride=4, bias=False)
        self.relu = nn.ReLU()
        self.blocks = nn.ModuleList([Branch(channels), Branch(channels)])
        self.flatten = nn.Flatten()
        self.head = nn.Linear(channels * _POSITIONS, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (b, 1, 28, 28) to scores (b, 1)."""
        z = self.relu(self.stem(x))
        for branch in self.blocks:
            z = z + branch(z)  # noqa: PLR6104 - autograd keeps the old one
        scores: Tensor = self.head(self.flatten(z))
        return scores


def residual() -> ResidualNet:
    """Return the net with residual blocks."""
    return ResidualNet(16)


def _route(branches: int) -> nn.Sequential:
    net = ResidualNet(16)
    through = [Branch(16) for _ in range(branches)]
    return nn.Sequential(net.stem, net.relu, *through, net.flatten, net.head)


def route_one() -> nn.Sequential:
    """Return the chain that a route through one branch of ``residual`` is."""
    return _route(1)


def route_two() -> nn.Sequential:
    """Return the chain that the route through both branches of ``residual`` is."""
    return _route(2)
