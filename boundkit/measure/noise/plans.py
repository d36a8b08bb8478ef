"""From a module and some samples to a plan of taking gradients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.errors import ModelError
from boundkit.layers.probe import precision
from boundkit.measure.forward import logits, placed, require_repeatable, resolved
from boundkit.measure.noise.losses import chosen_loss, require_labels
from boundkit.measure.noise.passes import Plan
from boundkit.measure.noise.patch_ranks import patches_seen
from boundkit.measure.noise.per_sample import usable_way

if TYPE_CHECKING:
    import torch
    from torch import nn

    from boundkit.measure.noise.drawn import Drawn
    from boundkit.measure.noise.passes import Seen
    from boundkit.measure.noise.placement import Placement
    from boundkit.types import Network

__all__ = ["obstacle", "plan_of", "runnable"]

#: Samples that a module is tried on.
_TRIED = 2


def runnable(module: nn.Module, x: torch.Tensor, device: str) -> nn.Module:
    """Return a module on a device, in float64 where it runs in that.

    Args:
        module: A copy, which is changed.
        x: (c, *shape) a few inputs on the CPU.
        device: Where to run.

    Raises:
        ModelError: It does not run, or gives another output each time.
        UsageError: The device is not there.
    """
    where = resolved(device)
    own = precision(module)
    net = placed(module, where)
    if where.type != "mps":
        net = net.double()
        try:
            logits(net, _seen_by(net, x))
        except ModelError:
            # Some models name a dtype in their code.
            net = net.to(own)
    require_repeatable(net, _seen_by(net, x))
    return net


def _seen_by(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    first = next(module.parameters())
    # Some models begin with an operation in place.
    return x.to(first.device, first.dtype, copy=True)


def plan_of(
    network: Network,
    spot: Placement,
    drawn: Drawn,
    loss: str | None,
    device: str,
    name: str,
) -> tuple[Plan, str]:
    """Return how gradients are taken, and why not all at once, or "".

    Args:
        network: Says which layers are counted.
        spot: The module, and where its weights are.
        drawn: The samples.
        loss: ``"square"``, ``"cross-entropy"`` or None.
        device: Where to run.
        name: Of the data set.

    Raises:
        DataError: Labels do not fit the outputs.
        ModelError: The net does not run, or cannot be differentiated.
        UsageError: No such loss or device.
    """
    import torch

    few = drawn.x[:_TRIED]
    net = runnable(spot.module, few, device)
    x = _seen_by(net, few)
    with torch.no_grad():
        outputs = logits(net, x).shape[1]
    require_labels(drawn.labels, outputs, name)
    chosen = chosen_loss(loss, outputs)
    ours = dict(net.named_parameters(remove_duplicate=False))
    weights = {ours_name: ours[ours_name].detach() for ours_name in spot.names.values()}
    labels = drawn.labels[:_TRIED].to(x.device)
    way, why = usable_way(net, weights, x, labels, chosen)
    home = "cpu" if x.device.type == "mps" else x.device
    flat = {
        layer: weights[own].flatten().to(home).double()
        for layer, own in spot.names.items()
    }
    normalized = frozenset(
        layer.name
        for layer in network.layers
        if outputs == 1
        and chosen == "square"
        and layer.counted
        and layer.name in flat
        and 0 < float(flat[layer.name].norm()) < math.inf
    )
    patches = patches_seen(net, spot.names, x[:1].clone())
    plan = Plan(net, spot.names, flat, normalized, chosen, outputs, way, patches)
    return plan, why


def obstacle(network: Network, plan: Plan, found: Seen) -> str:
    """Return why the quantities of Xu et al. (2023) are not defined here, or "".

    Args:
        network: Its counted layers are those of the paper.
        plan: How gradients were taken.
        found: Whether the output is linear in each layer.
    """
    if plan.outputs > 1:
        return f"defined for one output, but the net has {plan.outputs}"
    if plan.loss != "square":
        return "defined for the square loss only"
    counted = [layer.name for layer in network.layers if layer.counted]
    for name in counted:
        if name not in plan.normalized:
            return f"{name!r} is zero, not finite, or not in the model"
    if found.euler is None or not counted:
        return "no layer is counted"
    largest = float(found.euler.largest)
    if not 0 < largest < math.inf:
        return f"the largest output is {largest:g}"
    tolerance = math.sqrt(_epsilon(plan))
    for name in counted:
        share = float(found.euler.worst[name]) / largest
        if not share <= tolerance:
            return (
                f"the output is not linear in {name!r}: <W, df/dW> differs from f by"
                f" {share:.2g} of the largest |f|; biases, normalization, branches or"
                " a weight used twice do that"
            )
    return ""


def _epsilon(plan: Plan) -> float:
    import torch

    return torch.finfo(next(plan.module.parameters()).dtype).eps
