"""How far a network has moved from another one, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from boundkit.errors import UsageError
from boundkit.layers.wiring import wire
from boundkit.measure.spectra import BUDGET, filter_matrix, singular_values
from boundkit.normalize import folded_tensors, normalized
from boundkit.numerics.norms import norm_of_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.types import Layer, Network, StoredTensor

__all__ = ["Distance", "distances", "rewritten_like"]


@dataclass(frozen=True, slots=True)
class Distance:
    """Sizes of the difference of two weights.

    Attributes:
        frobenius: Frobenius norm.
        spectral: Largest singular value of the filter matrix; None where it takes long.
        start: The weight before training.
    """

    frobenius: float
    spectral: float | None
    start: StoredTensor


def _distance(layer: Layer, start: Layer) -> Distance:
    # Both are read as the trained layer's kind, which may be known better.
    moved = filter_matrix(layer) - filter_matrix(replace(start, kind=layer.kind))
    rows, rest = moved.shape
    affordable = 2.0 * min(rows, rest) ** 2 * max(rows, rest) <= BUDGET
    usable = affordable and bool(np.all(np.isfinite(moved)))
    spectral = float(singular_values(moved)[0]) if usable and moved.size else None
    return Distance(norm_of_blocks([moved.ravel()]), spectral, start.weight)


def rewritten_like(
    start: Network,
    tensors: Mapping[str, StoredTensor],
    stored: Network,
    network: Network,
) -> Network:
    """Return the network before training after the same passes as the trained one.

    Args:
        start: As its tensors tell it.
        tensors: Of its checkpoint.
        stored: The trained network, wired if its architecture is known.
        network: The same after the passes.

    Raises:
        UsageError: What was folded in the trained network cannot be folded here.
        Unreadable: The bytes of running statistics are not there.
    """
    used = {node.layer for node in stored.nodes or () if node.layer is not None}
    if stored.nodes is None or not used <= {layer.name for layer in start.layers}:
        return start
    wired = wire(start, stored.nodes, tensors)
    found = normalized(wired)
    wanted = folded_tensors(stored, network)
    missing = wanted.items() - folded_tensors(wired, found).items()
    if missing:
        name, layer = min(missing)
        raise UsageError(
            f"init must hold {name!r}, which is folded into {layer!r}, as a finite"
            " tensor that fits; give the checkpoint from before training"
        )
    return found


def distances(network: Network, start: Network) -> Mapping[str, Distance]:
    """Return how far every counted layer is from its initial value.

    Args:
        network: The trained network.
        start: The same one before training.

    Raises:
        UsageError: A layer is missing at the start, or has another shape there.
        Unreadable: The bytes of a weight are not there.
    """
    before = {layer.name: layer for layer in start.layers}
    found: dict[str, Distance] = {}
    for layer in network.layers:
        if not layer.counted:
            continue
        origin = before.get(layer.name)
        if origin is None or origin.weight.shape != layer.weight.shape:
            has = "nothing" if origin is None else f"shape {origin.weight.shape}"
            raise UsageError(
                f"init must hold {layer.name!r} of shape {layer.weight.shape}, but has"
                f" {has} there; give the checkpoint from before training"
            )
        found[layer.name] = _distance(layer, origin)
    return MappingProxyType(found)
