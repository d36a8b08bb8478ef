"""Sizes of the BatchNorms in eval mode that stay in a network, for certificates."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from boundkit.normalize.fold_norm import affine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Network

__all__ = ["affine_sizes"]


def affine_sizes(network: Network) -> Mapping[str, tuple[float, float]]:
    """Return the largest absolute factor and the norm of the summands of each BatchNorm.

    Args:
        network: Traced or not; only nodes whose numbers are there are in the result.

    Raises:
        Unreadable: The bytes of running statistics are not there.
    """
    found: dict[str, tuple[float, float]] = {}
    for node in network.nodes or ():
        kept = node.statistics
        if node.op != "norm" or kept is None:
            continue
        parts = [network.vectors.get(name) for name in kept.tensors]
        if any(part is None or part.storage is None for part in parts):
            continue
        factor, shift = affine(kept, network.vectors)
        largest, length = float(np.abs(factor).max()), float(np.linalg.norm(shift))
        if np.isfinite(largest) and np.isfinite(length):
            found[node.name] = largest, length
    return MappingProxyType(found)
