"""The six layers of P1, figures 3 to 6 and 8 to 10."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from boundkit.lab.nets.architecture import Architecture, after, channels

__all__ = ["XU2023_SIX"]

_CHANNELS = (32, 64, 128, 128)
#: The paper gives 3,200 inputs of the first dense layer, that is 128 maps of 5 x 5 of a
#: 32 x 32 image, and no padding, stride or pooling; these strides give 5 x 5 and, with
#: its two outputs and seven scalars of weight normalization, its 3,519,335 weights.
_STRIDES = (1, 2, 1, 2)
_HIDDEN = 1024


def _build(shape: tuple[int, int, int], outputs: int, width: float) -> nn.Module:
    before, rows, columns = shape
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    for level, (count, stride) in enumerate(
        zip(_CHANNELS, _STRIDES, strict=True), start=1
    ):
        maps = channels(count, width)
        steps[f"conv{level}"] = nn.Conv2d(before, maps, 3, stride, bias=False)
        steps[f"relu{level}"] = nn.ReLU()
        before, rows, columns = maps, after(rows, 3, stride), after(columns, 3, stride)
    hidden = channels(_HIDDEN, width)
    steps["flatten"] = nn.Flatten()
    steps["hidden"] = nn.Linear(before * rows * columns, hidden, bias=False)
    steps["relu"] = nn.ReLU()
    steps["head"] = nn.Linear(hidden, outputs, bias=False)
    return nn.Sequential(steps)


XU2023_SIX = Architecture(
    "xu2023_six",
    "four 3x3 convolutions of 32, 64, 128, 128 channels and two dense layers, 1,024"
    " wide; no bias (P1, section 3.2)",
    homogeneous=True,
    build=_build,
)
