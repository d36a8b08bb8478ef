"""The net with BatchNorm of P0."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from boundkit.lab.nets.architecture import Architecture, after, channels

__all__ = ["POGGIO2021_BATCH_NORM"]

_CHANNELS = (32, 64, 128)


def _build(shape: tuple[int, int, int], outputs: int, width: float) -> nn.Module:
    before, rows, columns = shape
    steps: OrderedDict[str, nn.Module] = OrderedDict()
    for level, count in enumerate(_CHANNELS, start=1):
        maps = channels(count, width)
        # The paper names neither stride nor padding; stride 2 halves the maps.
        steps[f"conv{level}"] = nn.Conv2d(before, maps, 3, 2, padding=1, bias=False)
        steps[f"relu{level}"] = nn.ReLU()
        steps[f"norm{level}"] = nn.BatchNorm2d(maps, affine=False)
        before, rows, columns = maps, after(rows, 3, 2, 1), after(columns, 3, 2, 1)
    steps["flatten"] = nn.Flatten()
    steps["head"] = nn.Linear(before * rows * columns, outputs, bias=False)
    return nn.Sequential(steps)


POGGIO2021_BATCH_NORM = Architecture(
    "poggio2021_batch_norm",
    "three 3x3 convolutions of 32, 64, 128 channels, each with ReLU and BatchNorm"
    " without scale and shift, and a dense layer; no bias (P0, section 8)",
    homogeneous=True,
    build=_build,
)
