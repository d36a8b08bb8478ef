"""A network looked at together with its module and its data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from boundkit.layers.graph import trace
from boundkit.layers.matching import in_checkpoint, stored_name
from boundkit.layers.probe import evaluating
from boundkit.layers.wiring import first_layer, wire
from boundkit.measure.evidence import evidence
from boundkit.measure.probing import probed
from boundkit.normalize import normalized
from boundkit.numerics.norms import frobenius_norm
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch
    from torch import nn

    from boundkit.data import Samples
    from boundkit.types import Checkpoint, Evidence, Geometry, Network

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Observed", "Wired", "observed", "traced", "watched"]

#: Relative; weights that the module computes in bfloat16 agree to three digits.
_AGREEMENT = 1e-2
#: Real samples that probes run on.
_PROBED = 4


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What the model and the data add to the tensors of a checkpoint.

    Attributes:
        network: With its architecture if the model could be followed; weights as stored.
        rewritten: The same function after the passes; what the bounds see.
        train: What the training sample tells, or None.
        test: What a held-out sample tells, or None.
        notices: What could not be done, and where graph and model disagree.
    """

    network: Network
    rewritten: Network
    train: Evidence | None = None
    test: Evidence | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Wired:
    """A network that was followed, or why it was not.

    Attributes:
        network: With nodes if it was followed.
        ours: Name of a weight in the checkpoint -> in the module.
        notices: Why it could not be followed.
    """

    network: Network
    ours: Mapping[str, str]
    notices: tuple[Notice, ...] = ()


def observed(
    network: Network,
    checkpoint: Checkpoint,
    *,
    model: Any,
    data: Any,
    test_data: Any,
    input_shape: Sequence[int] | None,
    device: str,
    batch_size: int,
    progress: Progress,
) -> Observed:
    """Trace the model and run it over the data, as far as they are given.

    Args:
        network: Layers as the checkpoint's tensors tell them.
        checkpoint: Where they are from.
        model: An nn.Module, a SPEC, or None.
        data: The training sample, or None.
        test_data: A held-out sample, or None.
        input_shape: Of one sample, or None to take that of the data.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all or None, and a label.

    Raises:
        DataError: The data cannot be used.
        ModelError: The model does not load, fit or run.
        UsageError: The device is not there.
    """
    if model is None:
        return Observed(network, network)
    from boundkit.data import open_data
    from boundkit.layers.model_spec import fit, load_model

    module = fit(load_model(model) if isinstance(model, str) else model, checkpoint)
    train = None if data is None else open_data(data, "train")
    test = None if test_data is None else open_data(test_data, "test")
    known = train or test
    shape = tuple(input_shape or (known.shape if known else ()))
    rewritten, notices = network, tuple[Notice, ...]()
    if shape:
        wired = traced(network, checkpoint, module, shape)
        network, notices = wired.network, wired.notices
        real = None if known is None else _some(known)
        rewritten, doubted = probed(normalized(network), module, real, wired.ours)
        notices += doubted
    found = [
        None
        if samples is None
        else watched(
            rewritten,
            module,
            samples,
            device=device,
            batch_size=batch_size,
            progress=progress,
        )
        for samples in (train, test)
    ]
    return Observed(network, rewritten, found[0], found[1], notices)


def _some(samples: Samples) -> torch.Tensor | None:
    """Return a few samples as the network is given them."""
    return next((x[:_PROBED] for x, _ in samples.batches(_PROBED)), None)


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
    followed = trace(module, input_shape)
    if followed.nodes is None:
        why = f"{followed.reason}; the architecture stays unknown"
        return Wired(network, {}, (Notice("not-traced", why),))
    find = stored_name(module, checkpoint, {layer.name for layer in network.layers})
    used = dict.fromkeys(n.layer for n in followed.nodes if n.layer is not None)
    ours = {find(name): name for name in used}
    nodes = in_checkpoint(followed.nodes, find)
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
    progress: Progress,
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
