"""ResNet18 of He, Zhang, Ren, Sun (2016), with the opening that small images need."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from torch import nn

from boundkit.lab.nets.architecture import Architecture, channels

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["RESNET18", "Block"]

#: Channels of the stages, two blocks each; every stage but the first halves the maps.
_CHANNELS = (64, 128, 256, 512)


class Block(nn.Module):
    """Two 3x3 convolutions with BatchNorm beside an identity or a 1x1 convolution."""

    def __init__(self, before: int, maps: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, maps, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(maps)
        self.conv2 = nn.Conv2d(maps, maps, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(maps)
        self.relu = nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or before != maps:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, maps, 1, stride, bias=False), nn.BatchNorm2d(maps)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, before, h, w) to (b, maps, h / stride, w / stride), rounded up."""
        inner = self.relu(self.norm1(self.conv1(x)))
        out: Tensor = self.relu(self.norm2(self.conv2(inner)) + self.shortcut(x))
        return out


def _build(shape: tuple[int, int, int], outputs: int, width: float) -> nn.Module:
    before = channels(_CHANNELS[0], width)
    steps: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(shape[0], before, 3, padding=1, bias=False),
        norm=nn.BatchNorm2d(before),
        relu=nn.ReLU(),
    )
    for level, count in enumerate(_CHANNELS, start=1):
        maps = channels(count, width)
        steps[f"stage{level}"] = nn.Sequential(
            Block(before, maps, 1 if level == 1 else 2), Block(maps, maps, 1)
        )
        before = maps
    steps["mean"] = nn.AdaptiveAvgPool2d(1)
    steps["flatten"] = nn.Flatten()
    steps["head"] = nn.Linear(before, outputs)
    return nn.Sequential(steps)


RESNET18 = Architecture(
    "resnet18",
    "a 3x3 convolution, eight residual blocks of two with BatchNorm, and a dense layer"
    " (P2, P4)",
    homogeneous=False,
    build=_build,
)
