"""The operations of a network in forward order, followed by torch.fx or torch.export."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from boundkit.layers.calls import (
    Followed,
    bias_name,
    layer_name,
    operation,
    sources,
)
from boundkit.layers.exported_graph import exported
from boundkit.layers.operations import is_plain
from boundkit.layers.probe import evaluating, random_inputs
from boundkit.types import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import fx, nn

__all__ = ["Traced", "described", "trace"]

#: Samples in the batch that is run; two, so that a lost batch axis shows.
_BATCH = 2


@dataclass(frozen=True, slots=True)
class Traced:
    """What could be followed of a network.

    Attributes:
        nodes: In forward order, from input to output; None if it cannot be followed.
        reason: Why not, or "".
    """

    nodes: tuple[Node, ...] | None
    reason: str = ""


def trace(module: nn.Module, input_shape: tuple[int, ...]) -> Traced:
    """Follow a network from its input to its output.

    Two random samples are run in eval mode; the graph must give the module's result.
    torch.fx is tried first, then torch.export, which settles control flow on sizes.
    A plain layer of path ``m`` is the layer ``m.weight``, also where a parametrization
    computes its weight, and appears once per use; its detail is ``"bias"`` if it adds
    one. Nodes of convolutions carry their geometry. Pools whose padding enters neither mean nor maximum have the padding mode
    ``"uncounted"``. A flatten either ends in a vector or keeps channels apart and
    renumbers positions in order.

    Args:
        module: The network; it is left as it was.
        input_shape: Of one sample.

    Returns:
        The nodes, or the reason why there are none.
    """
    import torch

    with evaluating(module), torch.no_grad():
        try:
            x = random_inputs(module, (_BATCH, *input_shape))
            expected = module(x.clone())
        # Models are foreign code: they may raise anything.
        except Exception as error:  # noqa: BLE001 - any failure means "not followed"
            return Traced(None, f"the model cannot be followed: {_line(error)}")
        if not isinstance(expected, torch.Tensor):
            kind = type(expected).__name__
            return Traced(None, f"the model returns a {kind}, not one tensor")
        return _first_that_fits(module, x, expected)


def _first_that_fits(
    module: nn.Module, x: torch.Tensor, expected: torch.Tensor
) -> Traced:
    import torch

    reasons = []
    for follow in (_followed, _exported):
        try:
            net, found = follow(module, x.clone())
        # fx and export raise whatever the model's control flow raises.
        except Exception as error:  # noqa: BLE001 - any failure means "not followed"
            reasons.append(f"the model cannot be followed: {_line(error)}")
            continue
        if torch.allclose(expected, found, rtol=1e-4, atol=1e-6, equal_nan=True):
            return Traced(described(net))
        reasons.append("the model does something that its graph does not show")
    return Traced(None, reasons[0])


def _line(error: Exception) -> str:
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"{type(error).__name__}: {first}"


def _is_torch_module(module: nn.Module) -> bool:
    """Say whether a module is torch's own and no container."""
    from torch import nn

    kinds = type(module).__mro__
    kind = kinds[1] if hasattr(module, "parametrizations") else kinds[0]
    own = kind.__module__.startswith(("torch.nn", "torch.ao.nn"))
    return own and not isinstance(module, nn.Sequential)


def _followed(module: nn.Module, x: torch.Tensor) -> tuple[Followed, Any]:
    """Trace and run a module; also return what came out."""
    from torch import fx, nn

    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            del module_qualified_name
            return is_plain(m) or _is_torch_module(m)

    class Root(nn.Module):
        # A bare layer, and hooks on the model, are seen only as a call.
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.net = inner

        def forward(self, x: torch.Tensor) -> Any:
            return self.net(x)

    root = Root(module).train(module.training)
    followed = fx.GraphModule(root, Tracer().trace(root))
    followed.graph.eliminate_dead_code()
    found, shapes = _recorded(followed, x)
    return Followed(root, followed.graph, _BATCH, shapes, "net"), found


def _exported(module: nn.Module, x: torch.Tensor) -> tuple[Followed, Any]:
    """Export and run a module; also return what came out."""
    net = exported(module, x)
    found, shapes = _recorded(net, x)
    return Followed(net, net.graph, _BATCH, shapes, ""), found


def _recorded(
    net: fx.GraphModule, x: torch.Tensor
) -> tuple[Any, Mapping[fx.Node, tuple[int, ...] | None]]:
    """Run a graph; return what came out, and the shape of each value on the way."""
    from torch import fx

    shapes: dict[fx.Node, tuple[int, ...] | None] = {}

    class Recorder(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            result = super().run_node(n)
            shapes[n] = _shape(result)
            return result

    return Recorder(net).run(x), shapes


def _shape(result: Any) -> tuple[int, ...] | None:
    """Return the shape of a tensor, () of several, None of anything else."""
    import torch

    if isinstance(result, torch.Tensor):
        return tuple(result.shape)
    if isinstance(result, tuple | list) and any(
        isinstance(part, torch.Tensor) for part in result
    ):
        return ()
    return None


def described(net: Followed) -> tuple[Node, ...]:
    """Return what each call of a graph does, in forward order.

    Args:
        net: A graph with the shapes of its values.
    """
    names: dict[fx.Node, str] = {}
    taken: set[str] = set()
    found: list[Node] = []
    for node in net.graph.nodes:
        if node.op == "get_attr" or net.shapes.get(node) is None:
            continue
        inputs = tuple(names[n] for n in sources(node) if n in names)
        names[node] = _unique(_name(net, node), taken)
        taken.add(names[node])
        found.append(_node(net, node, names[node], inputs))
    return tuple(found)


def _name(net: Followed, node: fx.Node) -> str:
    """Return the path of a module, or fx's name of a call."""
    path = net.path(node) if node.op == "call_module" else ""
    return path or node.name


def _unique(name: str, taken: set[str]) -> str:
    """Return ``name``, numbered from its second use on."""
    candidate, use = name, 1
    while candidate in taken:
        use += 1
        candidate = f"{name}#{use}"
    return candidate


def _node(net: Followed, node: fx.Node, name: str, inputs: tuple[str, ...]) -> Node:
    shape = net.sample(node)
    if node.op == "placeholder":
        return Node(name, "input", (), shape)
    if node.op == "output":
        return Node(name, "output", inputs, shape)
    done = operation(net, node)
    return Node(
        name=name,
        op=done.op,
        inputs=inputs,
        # What is reordered and then flattened has no positions any more.
        shape=(prod(shape),) if done.detail == "reordered" else shape,
        layer=layer_name(net, node) if done.op == "layer" else None,
        slope=done.slope,
        geometry=done.geometry,
        detail=done.detail,
        statistics=done.statistics,
        bias=bias_name(net, node) if done.op == "layer" else None,
    )
