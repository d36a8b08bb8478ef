"""A dense net of three layers."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from boundkit.lab.nets.architecture import Architecture, channels

__all__ = ["MLP"]

_HIDDEN = (512, 512)


def _build(shape: tuple[int, int, int], outputs: int, width: float) -> nn.Module:
    before = shape[0] * shape[1] * shape[2]
    steps: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for level, count in enumerate(_HIDDEN, start=1):
        units = channels(count, width)
        steps[f"dense{level}"] = nn.Linear(before, units, bias=False)
        steps[f"relu{level}"] = nn.ReLU()
        before = units
    steps["head"] = nn.Linear(before, outputs, bias=False)
    return nn.Sequential(steps)


MLP = Architecture(
    "mlp",
    "three dense layers, 512 wide, with ReLU; no bias",
    homogeneous=True,
    build=_build,
)
