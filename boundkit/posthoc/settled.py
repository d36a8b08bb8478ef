"""A user's network with every BatchNorm reduced to numbers that can be counted.

Running statistics are functions of the sample, hence parameters. They are folded into
the layer before, or into the factor and summand of the BatchNorm, and replaced by
constants (mean 0, variance ``1 - eps``, so that it divides by 1). What is left runs in
the user's own module and its state_dict loads there strictly.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boundkit.errors import ModelError
from boundkit.layers.graph import trace
from boundkit.layers.probe import copied
from boundkit.measure.forward import require_per_sample

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import torch
    from torch import nn

    from boundkit.types import Node

__all__ = ["Settled", "batch_norms", "changed_buffers", "settled"]


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A network that is a function of the free tensors alone.

    Attributes:
        module: In eval mode, float32, on the CPU.
        free: Names of the tensors that a certificate counts, in order.
        sheared: Weight of each layer that reads the input -> bias added to its output.
        unfolded: Paths of the BatchNorms that keep a factor of their own.
    """

    module: nn.Module
    free: tuple[str, ...]
    sheared: Mapping[str, str]
    unfolded: tuple[str, ...]

    def values(self) -> dict[str, torch.Tensor]:
        """Return the free tensors by name, float32, detached."""
        parts = (self.module.named_parameters(), self.module.named_buffers())
        state: dict[str, torch.Tensor] = {k: v for part in parts for k, v in part}
        return {name: state[name].detach() for name in self.free}


def batch_norms() -> tuple[type[nn.Module], ...]:
    """Return the modules whose running statistics are functions of the sample."""
    from torch import nn

    return (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def settled(
    module: nn.Module, shape: tuple[int, ...], loose: Collection[str] = ()
) -> Settled:
    """Return the same function in eval mode, as a function of counted tensors only.

    A BatchNorm is folded where tracing shows that it directly follows one layer; any
    other keeps its factor and its summand, which are counted.

    Args:
        module: The network; left as it is.
        shape: Of one sample.
        loose: Names of buffers that training has changed, to be counted, too.

    Raises:
        ModelError: The output for one sample depends on its batch, or there is nothing
            to count.
    """
    import torch

    net = copied(module).cpu().float().eval()
    require_per_sample(net)
    nodes = trace(net, shape).nodes or ()
    before = _layers_before(nodes, net)
    pinned: set[str] = set()
    counted: list[str] = list(loose)
    beside: dict[str, str] = {}
    unfolded: list[str] = []
    with torch.no_grad():
        for path, part in net.named_modules():
            if not isinstance(part, batch_norms()):
                continue
            layer = before.get(path)
            if not part.affine and (layer is None or _bias(net, layer) is None):
                counted += [f"{path}.running_mean", f"{path}.running_var"]
                unfolded.append(path)
                continue
            pinned |= _settle(net, path, layer)
            if layer is None:
                unfolded.append(path)
            elif part.affine:
                beside[layer] = f"{path}.bias"
    names = [name for name, _ in net.named_parameters() if name not in pinned]
    free = (*names, *(name for name in dict.fromkeys(counted) if name not in names))
    if not free:
        raise ModelError("the model has no parameters; give the model that was trained")
    return Settled(net, free, _sheared(nodes, beside, free), tuple(unfolded))


def changed_buffers(trained: nn.Module, fresh: nn.Module | None) -> tuple[str, ...]:
    """Return the float buffers that training may have changed, BatchNorm's left out.

    Args:
        trained: With the weights of the checkpoint.
        fresh: The same architecture as it was made; None where nobody knows, and every
            float buffer counts.

    Raises:
        ModelError: A buffer of integers has changed: it cannot be counted.
    """
    made = {} if fresh is None else dict(fresh.named_buffers())
    found = []
    kept = {name for name, _ in _kept_buffers(trained)}
    for name, value in trained.named_buffers():
        start = made.get(name)
        if name not in kept or (start is not None and _equal(start, value)):
            continue
        if value.is_floating_point():
            found.append(name)
        elif start is not None:
            raise ModelError(
                f"the buffer {name!r} is not what the model is made with, and it holds"
                f" {str(value.dtype).removeprefix('torch.')}, which a certificate cannot"
                " count; make it part of the architecture"
            )
    return tuple(found)


def _kept_buffers(module: nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Return the buffers that are stored, without those that BatchNorm keeps."""
    norms = {path for path, m in module.named_modules() if isinstance(m, batch_norms())}
    stored = module.state_dict(keep_vars=True)
    return [
        (name, value)
        for name, value in module.named_buffers()
        if name in stored and name.rpartition(".")[0] not in norms
    ]


def _equal(first: torch.Tensor, second: torch.Tensor) -> bool:
    import torch

    return first.shape == second.shape and torch.equal(
        first.detach().cpu().double(), second.detach().cpu().double()
    )


def _layers_before(nodes: tuple[Node, ...], net: nn.Module) -> dict[str, str]:
    """Return BatchNorm path -> name of the weight that it can be folded into."""
    by_name = {node.name: node for node in nodes}
    readers = Counter(name for node in nodes for name in node.inputs)
    uses = Counter(node.layer for node in nodes if node.op == "layer")
    applied = Counter(n.statistics.mean for n in nodes if n.statistics is not None)
    found = {}
    for node in nodes:
        if node.op != "norm" or node.statistics is None:
            continue
        source, alone = by_name[node.inputs[0]], True
        while source.op == "identity":
            alone = alone and readers[source.name] == 1
            source = by_name[source.inputs[0]]
        name = source.layer or ""
        alone = alone and readers[source.name] == 1 and uses[name] == 1
        once = applied[node.statistics.mean] == 1
        if source.op == "layer" and alone and once and _plain(net, name):
            found[node.statistics.mean.rpartition(".")[0]] = name
    return found


def _plain(net: nn.Module, name: str) -> bool:
    """Say whether a weight is a parameter of its own, with the outputs first."""
    from torch import nn

    owners = list(net.named_parameters(remove_duplicate=False))
    weight = next((value for key, value in owners if key == name), None)
    if weight is None or sum(value is weight for _, value in owners) > 1:
        return False
    part = net.get_submodule(name.rpartition(".")[0])
    return isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)


def _bias(net: nn.Module, layer: str) -> torch.Tensor | None:
    linear: Any = net.get_submodule(layer.rpartition(".")[0])
    found: torch.Tensor | None = linear.bias
    return found


def _settle(net: nn.Module, path: str, layer: str | None) -> set[str]:
    """Make a BatchNorm divide by 1 and return the names of the tensors that are constant."""
    import torch

    norm: Any = net.get_submodule(path)
    mean, variance = norm.running_mean.double(), norm.running_var.double()
    factor = 1 / torch.sqrt(variance + norm.eps)
    shift = -mean * factor
    if norm.affine:
        factor, shift = factor * norm.weight.double(), shift * norm.weight.double()
        shift += norm.bias.double()
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    if layer is None:
        norm.weight.copy_(factor)
        norm.bias.copy_(shift)
        return set()
    owner = layer.rpartition(".")[0]
    linear: Any = net.get_submodule(owner)
    weight, bias = linear.weight, linear.bias
    weight.copy_(weight.double() * factor.reshape(-1, *(1,) * (weight.ndim - 1)))
    if bias is not None:
        shift += factor * bias.double()
    if not norm.affine:
        assert bias is not None  # noqa: S101 - the caller has looked
        bias.copy_(shift)
        return set()
    norm.weight.fill_(1)
    norm.bias.copy_(shift)
    if bias is None:
        return {f"{path}.weight"}
    bias.zero_()
    return {f"{path}.weight", f"{owner}.bias"}


def _sheared(
    nodes: tuple[Node, ...], beside: Mapping[str, str], free: Collection[str]
) -> dict[str, str]:
    """Return the weights that read the input -> the free bias beside each."""
    by_name = {node.name: node for node in nodes}
    uses = Counter(node.layer for node in nodes if node.op == "layer")
    found = {}
    for node in nodes:
        if node.op != "layer" or node.layer is None or uses[node.layer] > 1:
            continue
        source = by_name[node.inputs[0]]
        while source.op in {"identity", "flatten"}:
            source = by_name[source.inputs[0]]
        bias = beside.get(node.layer, f"{node.layer.rpartition('.')[0]}.bias")
        if source.op == "input" and node.layer in free and bias in free:
            found[node.layer] = bias
    return found
