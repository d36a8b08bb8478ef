"""The last linear layer of a network: what features enter, and what it does to them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from boundkit.errors import ModelError, NotApplicable, UsageError
from boundkit.layers.probe import evaluating, precision
from boundkit.measure.forward import logits
from boundkit.types import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import nn

    from boundkit.types import Network, Node

__all__ = ["Head", "find_head", "head_of", "named_head", "weights_of"]

#: Names listed in a message before the rest is counted.
_LISTED = 6


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The weights of the last linear layer; float64, on the CPU.

    Attributes:
        name: Path of the module, "" for the network itself.
        weight: (C, p); one row for a net with one output.
        bias: (C,) or None.
    """

    name: str
    weight: torch.Tensor
    bias: torch.Tensor | None


def find_head(network: Network, module: nn.Module, x: torch.Tensor) -> str:
    """Return the path of the linear layer whose output is the net's output.

    The traced graph is asked what comes last, identities and flattening aside; then the
    net is run, and the layer must give exactly what the net gives.

    Args:
        network: Traced or not.
        module: The net; left as it was.
        x: (b, ...) a few samples on its device.

    Raises:
        NotApplicable: The outputs come from something else; the message says from what,
            and the way out.
        ModelError: The net does not run.
    """
    obstacle = _after_the_last_layer(network)
    if obstacle:
        raise NotApplicable(obstacle)
    last = _last_that_gives_the_output(module, x)
    if last is None:
        raise NotApplicable(
            "no linear layer gives the net's outputs, so there is no last layer whose"
            f" inputs are features{_listed(module)}"
        )
    return last


def named_head(module: nn.Module, name: str) -> str:
    """Return the path of the linear layer that the user names.

    Args:
        module: The net.
        name: Path of the layer, or name of its weight.

    Raises:
        UsageError: There is no such layer, or it is not linear.
    """
    path = name.removesuffix(".weight")
    parts = dict(module.named_modules())
    if path not in parts:
        raise UsageError(f"the model has no layer {name!r}{_listed(module)}")
    if not _is_linear(parts[path]):
        kind = type(parts[path]).__name__
        raise UsageError(f"{name!r} is a {kind}, not a linear layer{_listed(module)}")
    return path


def weights_of(module: nn.Module, name: str) -> Head:
    """Return the weights that the layer applies, parametrizations computed.

    Args:
        module: The net.
        name: Path of a linear layer in it.
    """
    layer: Any = module.get_submodule(name)
    bias = getattr(layer, "bias", None)
    return Head(
        name=name,
        weight=layer.weight.detach().double().cpu().flatten(1),
        bias=None if bias is None else bias.detach().double().cpu(),
    )


def head_of(
    network: Network, module: nn.Module, name: str | None, x: torch.Tensor
) -> tuple[str | None, tuple[Notice, ...]]:
    """Return the path of the last linear layer, or None and why there is none.

    Args:
        network: Traced or not.
        module: The net.
        name: What the user calls the layer, or None to find it.
        x: (b, ...) a few samples.

    Raises:
        UsageError: The layer that the user names is not there, or not linear.
    """
    if name is not None:
        return named_head(module, name), ()
    device = next((p.device for p in module.parameters()), x.device)
    try:
        return find_head(
            network, module, x.to(device, precision(module) or x.dtype)
        ), ()
    except (NotApplicable, ModelError) as reason:
        return None, (Notice("no-features", f"no neural collapse: {reason}"),)


def _after_the_last_layer(network: Network) -> str:
    """Say what stands between the last layer and the outputs, "" if nothing is known."""
    nodes = {node.name: node for node in network.nodes or ()}
    if not nodes:
        return ""
    node = list(nodes.values())[-1]
    passed: list[Node] = []
    while node.op in {"output", "identity", "flatten", "average_pool"} and node.inputs:
        passed.append(node)
        node = nodes[node.inputs[0]]
    pools = any(one.op == "average_pool" for one in passed)
    if node.op == "layer" and pools:
        return (
            "the outputs are means over the positions of a convolution's map, not those"
            " of a linear layer; average before that convolution (the outputs stay the"
            " same) and name it with --head"
        )
    if node.op == "layer":
        return ""
    if pools:
        node = next(one for one in passed if one.op == "average_pool")
    what = f"{node.op} {node.name!r}" + (f" ({node.detail})" if node.detail else "")
    return (
        f"the outputs come from {what}, not from a linear layer; name the last linear"
        " layer with --head"
    )


def _last_that_gives_the_output(module: nn.Module, x: torch.Tensor) -> str | None:
    import torch

    given: list[tuple[str, torch.Tensor]] = []

    def keep(name: str) -> Any:
        def hook(part: Any, inputs: Any, output: torch.Tensor) -> None:
            # A kernel smaller than its input is applied at several positions.
            whole = inputs and inputs[0][0].numel() == part.weight[0].numel()
            if whole or not inputs:
                given.append((name, output))

        return hook

    hooks = [part.register_forward_hook(keep(name)) for name, part in _linear(module)]
    try:
        with evaluating(module), torch.inference_mode():
            outputs = logits(module, x)
    finally:
        for hook in hooks:
            hook.remove()
    fitting = [
        name
        for name, output in given
        if output.numel() == outputs.numel()
        and torch.equal(output.reshape(outputs.shape), outputs)
    ]
    return fitting[-1] if fitting else None


def _linear(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, part in module.named_modules():
        if _is_linear(part):
            yield name, part


def _is_linear(part: nn.Module) -> bool:
    """Say whether a module is a linear map, or can be one: a kernel that is the map."""
    from torch import nn

    if isinstance(part, nn.Linear):
        return True
    if not isinstance(part, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return False
    return part.groups == 1 and not any(_padding(part))


def _padding(part: Any) -> tuple[int, ...]:
    if isinstance(part.padding, str):
        return () if part.padding == "valid" else (prod(part.kernel_size) - 1,)
    return tuple(part.padding)


def _listed(module: nn.Module) -> str:
    names = [name for name, _ in _linear(module)]
    if not names:
        return "; it has no linear layer"
    shown = ", ".join(repr(name) for name in names[-_LISTED:])
    more = len(names) - _LISTED
    return f"; its linear layers are {shown}" + (
        f" and {more} more" if more > 0 else ""
    )
