"""Telling the papers' data sets apart, so that a stand-in is called one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from boundkit.lab.data.images import Images

__all__ = ["known_as"]

#: Training images of the digits 0 to 9 in MNIST; the other sets have equal classes.
_MNIST = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
_FASHION = "f5392da0ad6191515d0d876aa463f44161ccb818f38bd85defdc8e3545246d6d"
_GRAY, _COLOR = (1, 28, 28), (3, 32, 32)


def known_as(images: Images) -> str | None:
    """Return the name of a data set of the papers, None for anything else.

    Fashion-MNIST is known by its digest, MNIST and CIFAR-10 by shape and class counts;
    KMNIST has the counts of Fashion-MNIST, and its folder has to name it.

    Args:
        images: As they were read.
    """
    if images.digest == _FASHION:
        return "Fashion-MNIST"
    shape = images.x_train.shape[1:]
    counts = tuple(np.bincount(images.y_train).tolist())
    if shape == _GRAY and counts == _MNIST:
        return "MNIST"
    if shape == _COLOR and counts == (5000,) * 10:
        return "CIFAR-10"
    named = "kmnist" in Path(images.source).name.lower()
    if shape == _GRAY and counts == (6000,) * 10 and named:
        return "KMNIST"
    return None
