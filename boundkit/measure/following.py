"""The architecture of a network, from running its module on a few inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from boundkit.layers.graph import trace
from boundkit.layers.matching import in_checkpoint, stored_name
from boundkit.layers.probe import evaluating
from boundkit.layers.wiring import wire
from boundkit.measure.observed import Architecture
from boundkit.measure.probing import probed
from boundkit.normalize import normalized
from boundkit.numerics.norms import frobenius_norm
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from boundkit.types import Checkpoint, Network

__all__ = ["Wired", "followed", "traced"]

#: Relative; weights that the module computes in bfloat16 agree to three digits.
_AGREEMENT = 1e-2


@dataclass(frozen=True, slots=True, eq=False)
class Wired:
    """A network that was followed, or why it was not.

    Attributes:
        network: With nodes if it was followed.
        ours: Name of a weight or bias in the checkpoint -> in the module.
        notices: Why it could not be followed.
    """

    network: Network
    ours: Mapping[str, str]
    notices: tuple[Notice, ...] = ()


def followed(
    network: Network,
    checkpoint: Checkpoint,
    module: nn.Module,
    shape: tuple[int, ...],
    real: torch.Tensor | None = None,
) -> Architecture:
    """Return what running a module on a few inputs tells of the network.

    Args:
        network: Layers as the checkpoint's tensors tell them.
        checkpoint: Where they are from.
        module: Holds the checkpoint's weights.
        shape: Of one sample.
        real: (b, *shape) some samples of the data, or None.

    Raises:
        ModelError: The module applies a layer that the checkpoint does not hold.
    """
    wired = traced(network, checkpoint, module, shape)
    rewritten, doubted = probed(normalized(wired.network), module, real, wired.ours)
    return Architecture(wired.network, rewritten, (*wired.notices, *doubted))


def traced(
    network: Network,
    checkpoint: Checkpoint,
    module: nn.Module,
    input_shape: tuple[int, ...],
) -> Wired:
    """Return the network with its architecture, as far as it can be followed.

    Args:
        network: Layers as the checkpoint's tensors tell them.
        checkpoint: Where they are from.
        module: Holds the checkpoint's weights.
        input_shape: Of one sample.

    Raises:
        ModelError: The module applies a layer that the checkpoint does not hold.
    """
    found = trace(module, input_shape)
    if found.nodes is None:
        why = f"{found.reason}; the architecture stays unknown"
        return Wired(network, {}, (Notice("not-traced", why),))
    find = stored_name(module, checkpoint, {layer.name for layer in network.layers})
    used = (name for node in found.nodes for name in (node.layer, node.bias))
    ours = {find(name): name for name in used if name is not None}
    nodes = in_checkpoint(found.nodes, find)
    wired = wire(network, nodes, checkpoint.tensors)
    unlike = _computed_otherwise(wired, module, ours)
    obstacles = {"unread": unlike} if unlike else {}
    return Wired(replace(wired, obstacles=MappingProxyType(obstacles)), ours)


def _computed_otherwise(
    network: Network, module: nn.Module, ours: Mapping[str, str]
) -> tuple[str, ...]:
    """Name the weights that the module does not put together as it was taken to."""
    from operator import attrgetter

    found = []
    # A look-alike of weight_norm differs by its numbers only. Hooks have run by now.
    with evaluating(module):
        for layer in network.layers:
            storage = layer.weight.storage
            if storage is None or not storage.key.startswith("computed:"):
                continue
            applied = float(
                attrgetter(ours.get(layer.name, layer.name))(module)
                .detach()
                .double()
                .norm()
            )
            taken = frobenius_norm(layer.weight)
            if not math.isclose(applied, taken, rel_tol=_AGREEMENT):
                found.append(layer.name)
    return tuple(found)
