"""The architectures of the papers, each with a width factor.

A net maps images (b, channels, rows, columns) to scores (b, outputs); its last layer is
an ``nn.Linear`` called ``head``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.errors import UsageError
from boundkit.lab.nets.mlp import MLP
from boundkit.lab.nets.poggio2021_batch_norm import POGGIO2021_BATCH_NORM
from boundkit.lab.nets.rangamani2022_five import RANGAMANI2022_FIVE
from boundkit.lab.nets.resnet18 import RESNET18
from boundkit.lab.nets.vgg import VGG11, VGG13
from boundkit.lab.nets.xu2023_six import XU2023_SIX
from boundkit.lab.nets.xu2023_three import XU2023_THREE

if TYPE_CHECKING:
    from torch import nn

    from boundkit.lab.nets.architecture import Architecture

__all__ = ["NETS", "build", "named"]

NETS: tuple[Architecture, ...] = (
    XU2023_SIX,
    XU2023_THREE,
    POGGIO2021_BATCH_NORM,
    RANGAMANI2022_FIVE,
    MLP,
    RESNET18,
    VGG11,
    VGG13,
)


def named(name: str) -> Architecture:
    """Return the architecture of a name.

    Raises:
        UsageError: There is none.
    """
    for each in NETS:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in NETS)
    raise UsageError(f"net must be among {known}, but got {name!r}")


def build(
    name: str, shape: tuple[int, int, int], outputs: int, width: float = 1.0
) -> nn.Module:
    """Return a net with torch's own initial weights.

    Args:
        name: Of the architecture.
        shape: Channels, rows and columns of an image.
        outputs: Scores.
        width: Factor of all hidden widths; 1 is the paper's net.

    Raises:
        UsageError: There is no such architecture, the image is too small for it, or
            the width leaves no channel.
    """
    return named(name).build(shape, outputs, width)
