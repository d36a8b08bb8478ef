"""A network looked at together with its module and its data."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from boundkit.layers.graph import trace
from boundkit.layers.probe import evaluating
from boundkit.layers.wiring import first_layer, wire
from boundkit.measure.evidence import evidence
from boundkit.numerics.norms import frobenius_norm
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from boundkit.data.samples import Samples
    from boundkit.types import Evidence, Geometry, Network

__all__ = ["traced", "watched"]

#: Relative; weights that the module computes in bfloat16 agree to three digits.
_AGREEMENT = 1e-2


def traced(
    network: Network, module: nn.Module, input_shape: tuple[int, ...]
) -> tuple[Network, tuple[Notice, ...]]:
    """Return the network with its architecture, as far as it can be followed.

    Args:
        network: Layers as the checkpoint's tensors tell them.
        module: Holds the checkpoint's weights.
        input_shape: Of one sample.

    Raises:
        ModelError: The module applies a layer that the checkpoint does not hold.
    """
    followed = trace(module, input_shape)
    if followed.nodes is None:
        why = f"{followed.reason}; the architecture stays unknown"
        return network, (Notice("not-traced", why),)
    wired = wire(network, followed.nodes)
    unlike = _computed_otherwise(wired, module)
    return replace(wired, obstacles={"unread": unlike} if unlike else {}), ()


def _computed_otherwise(network: Network, module: nn.Module) -> tuple[str, ...]:
    """Name the weights that the module does not put together as it was taken to."""
    from operator import attrgetter

    found = []
    # A look-alike of weight_norm differs by its numbers only. Hooks have run by now.
    with evaluating(module):
        for layer in network.layers:
            storage = layer.weight.storage
            if storage is None or not storage.key.startswith("computed:"):
                continue
            applied = float(attrgetter(layer.name)(module).detach().double().norm())
            taken = frobenius_norm(layer.weight)
            if not math.isclose(applied, taken, rel_tol=_AGREEMENT):
                found.append(layer.name)
    return tuple(found)


def _patches(network: Network) -> Geometry | Literal["dense"] | None:
    layer = first_layer(network)
    if layer is None:
        return None
    return "dense" if layer.kind == "linear" else layer.geometry


def watched(
    network: Network,
    module: nn.Module,
    samples: Samples,
    *,
    device: str,
    batch_size: int,
    progress: Callable[[int, int | None, str], None] | None,
) -> Evidence:
    """Run the module over a sample and return what bounds need to know of it.

    Args:
        network: Says whether the first layer's patches can be told apart.
        module: The trained net.
        samples: A training sample or a held-out one.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all or None, and a label.

    Raises:
        DataError: Labels do not fit the outputs, or an output is NaN or infinite.
        ModelError: The net does not run.
        UsageError: The device is not there.
    """
    return evidence(
        module,
        samples,
        first_layer=_patches(network),
        device=device,
        batch_size=batch_size,
        progress=progress,
    )
