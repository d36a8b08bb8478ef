"""Singular values of many small matrices at once.

A call costs more than the arithmetic of a 4 x 4 matrix, so layers of one small shape are
stacked and decomposed together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from boundkit.measure.spectra import filter_matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from boundkit.types import Layer

__all__ = ["small_spectra"]

#: Elements up to which a matrix is small.
_SMALL = 1024
#: Layers of one shape from which stacking is worth it, and the most in a stack.
_FEW, _MANY = 16, 4096


def _stacked(layers: list[Layer]) -> dict[str, list[float]]:
    stack = np.stack([filter_matrix(layer) for layer in layers])
    top = np.max(np.abs(stack), axis=(1, 2))
    values = np.linalg.svd(stack / top[:, None, None], compute_uv=False)
    spectra = (values * top[:, None]).tolist()
    return {x.name: s for x, s in zip(layers, spectra, strict=True)}


def small_spectra(
    layers: Iterable[Layer], norms: Mapping[str, float]
) -> dict[str, list[float]]:
    """Return the singular values, largest first, of layers that come in small stacks.

    Args:
        layers: Those with few elements and many of their shape are taken.
        norms: Their norms; layers that are zero or not finite are left out.

    Raises:
        Unreadable: The bytes of a weight are not there.
    """
    shapes: dict[tuple[str, tuple[int, ...]], list[Layer]] = {}
    for layer in layers:
        if layer.weight.numel <= _SMALL and 0 < norms[layer.name] < math.inf:
            shapes.setdefault((layer.kind, layer.weight.shape), []).append(layer)
    found: dict[str, list[float]] = {}
    for alike in shapes.values():
        for first in range(0, len(alike), _MANY):
            if len(part := alike[first : first + _MANY]) >= _FEW:
                found |= _stacked(part)
    return found
