"""The five layers of P3."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from boundkit.lab.nets.architecture import Architecture, after, channels

__all__ = ["RANGAMANI2022_FIVE"]

#: The paper says five layers, convolutional, without biases, and no sizes.
_CHANNELS = (32, 64, 128, 128)


def _build(shape: tuple[int, int, int], outputs: int, width: float) -> nn.Module:
    before, rows, columns = shape
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    for level, count in enumerate(_CHANNELS, start=1):
        maps = channels(count, width)
        steps[f"conv{level}"] = nn.Conv2d(before, maps, 3, 2, padding=1, bias=False)
        steps[f"relu{level}"] = nn.ReLU()
        before, rows, columns = maps, after(rows, 3, 2, 1), after(columns, 3, 2, 1)
    steps["flatten"] = nn.Flatten()
    steps["head"] = nn.Linear(before * rows * columns, outputs, bias=False)
    return nn.Sequential(steps)


RANGAMANI2022_FIVE = Architecture(
    "rangamani2022_five",
    "four 3x3 convolutions of stride 2 with 32, 64, 128, 128 channels and a dense"
    " layer; no bias (P3, section 3)",
    homogeneous=True,
    build=_build,
)
