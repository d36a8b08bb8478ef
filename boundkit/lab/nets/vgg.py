"""VGG nets of Simonyan and Zisserman (2015) with BatchNorm, as used on small images."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import nn

from boundkit.lab.nets.architecture import Architecture, channels

__all__ = ["VGG11", "VGG13"]

#: Channels of the convolutions between two poolings.
_ELEVEN = ((64,), (128,), (256, 256), (512, 512), (512, 512))
_THIRTEEN = ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512))


def _build(
    shape: tuple[int, int, int],
    outputs: int,
    width: float,
    *,
    blocks: tuple[tuple[int, ...], ...],
) -> nn.Module:
    before, rows, columns = shape
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    for level, block in enumerate(blocks, start=1):
        for place, count in enumerate(block, start=1):
            maps = channels(count, width)
            name = f"{level}_{place}"
            steps[f"conv{name}"] = nn.Conv2d(before, maps, 3, padding=1, bias=False)
            steps[f"norm{name}"] = nn.BatchNorm2d(maps)
            steps[f"relu{name}"] = nn.ReLU()
            before = maps
        # An image of 28 pixels or fewer is a single one before the last pooling.
        if min(rows, columns) > 1:
            steps[f"pool{level}"] = nn.MaxPool2d(2)
            rows, columns = rows // 2, columns // 2
    steps["mean"] = nn.AdaptiveAvgPool2d(1)
    steps["flatten"] = nn.Flatten()
    steps["head"] = nn.Linear(before, outputs)
    return nn.Sequential(steps)


VGG11 = Architecture(
    "vgg11",
    "eight 3x3 convolutions with BatchNorm, max pooling, and a dense layer (P2)",
    homogeneous=False,
    build=partial(_build, blocks=_ELEVEN),
)
VGG13 = Architecture(
    "vgg13",
    "ten 3x3 convolutions with BatchNorm, max pooling, and a dense layer (P4)",
    homogeneous=False,
    build=partial(_build, blocks=_THIRTEEN),
)
