"""The three layers without overlap of P1, figure 7."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from boundkit.lab.nets.architecture import Architecture, after, channels

__all__ = ["XU2023_THREE"]

#: The paper gives kernels of 3 x 3, stride 3 and about 20,000 weights; these channels
#: give 20,448 with its two outputs on a 32 x 32 image of three colors.
_CHANNELS = (32, 64)


def _build(shape: tuple[int, int, int], outputs: int, width: float) -> nn.Module:
    before, rows, columns = shape
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    for level, count in enumerate(_CHANNELS, start=1):
        maps = channels(count, width)
        steps[f"conv{level}"] = nn.Conv2d(before, maps, 3, 3, bias=False)
        steps[f"relu{level}"] = nn.ReLU()
        before, rows, columns = maps, after(rows, 3, 3), after(columns, 3, 3)
    steps["flatten"] = nn.Flatten()
    steps["head"] = nn.Linear(before * rows * columns, outputs, bias=False)
    return nn.Sequential(steps)


XU2023_THREE = Architecture(
    "xu2023_three",
    "two 3x3 convolutions of stride 3 with 32 and 64 channels and a dense layer; no"
    " bias, no overlap (P1, figure 7)",
    homogeneous=True,
    build=_build,
)
