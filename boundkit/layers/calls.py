"""What each call in a followed graph does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from boundkit.layers.batch_norm import given_to, kept_by
from boundkit.layers.functional import equivalent, is_addition
from boundkit.layers.operations import Operation, describe, pooled, reshaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import fx, nn

__all__ = ["Followed", "bias_name", "layer_name", "operation", "sources"]

Shape = tuple[int, ...]

_RESHAPES = frozenset({"flatten", "view", "reshape", "squeeze", "unsqueeze"})
_COPIES = frozenset({"contiguous", "clone", "detach", "float", "double"})
_TRANSPOSES = frozenset({"permute", "transpose", "movedim", "swapaxes"})
_POOLS: Mapping[str, Literal["average_pool", "max_pool"]] = {
    "mean": "average_pool",
    "amax": "max_pool",
}


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A graph whose nodes have been run once.

    Attributes:
        root: Holds the modules and parameters that the graph names.
        graph: The calls, in forward order.
        batch: Samples in the batch that was run.
        shapes: Node -> shape of what it returned; () for several tensors, None for
            anything that is no tensor.
        prefix: Of every path, put there by the root.
    """

    root: nn.Module
    graph: fx.Graph
    batch: int
    shapes: Mapping[fx.Node, Shape | None]
    prefix: str

    def sample(self, node: fx.Node) -> Shape:
        """Return the shape of one sample of what a node returns, () if unknown."""
        return (self.shapes.get(node) or ())[1:]

    def keeps_batch(self, node: fx.Node) -> bool:
        """Say whether a node returns one tensor with the batch axis first."""
        return (self.shapes.get(node) or ())[:1] == (self.batch,)

    def path(self, node: fx.Node) -> str:
        """Return the path of the module or parameter that a node names."""
        return str(node.target).removeprefix(self.prefix).removeprefix(".")


def sources(node: fx.Node) -> list[fx.Node]:
    """Return the nodes that a node reads, twice where it reads one twice."""
    from torch import fx

    given = [*node.args, *node.kwargs.values()]
    direct = [a for a in given if isinstance(a, fx.Node)]
    # Those inside lists, such as those of torch.cat, come after.
    return direct + [n for n in node.all_input_nodes if n not in direct]


def operation(net: Followed, node: fx.Node) -> Operation:
    """Describe a call; whatever is not understood completely is unknown.

    Args:
        net: The graph, run once.
        node: A call of it that returned tensors.

    Returns:
        What the call does to one sample.
    """
    tensors = [n for n in sources(node) if net.shapes.get(n) is not None]
    inputs = [n for n in tensors if n.op != "get_attr"]
    label = _label(net, node)
    if not inputs or not all(map(net.keeps_batch, [node, *inputs])):
        return Operation("unknown", detail=label)
    if _overwrites_a_value_in_use(net, node, inputs[0]):
        return Operation("unknown", detail=f"{label} in place on a value used later")
    source, target = net.sample(inputs[0]), net.sample(node)
    if node.op == "call_module":
        module = net.root.get_submodule(str(node.target))
        if _has_foreign_hooks(module):
            return Operation("unknown", detail=f"{label} with hooks")
        done = describe(module, source, target)
        return replace(done, statistics=kept_by(module, net.path(node)))
    same_shapes = len(inputs) == 2 and all(net.sample(n) == target for n in inputs)
    if is_addition(node.target) and len(tensors) == 2 and same_shapes:
        plain = node.kwargs.get("alpha", 1) == 1
        return Operation("add") if plain else Operation("unknown", detail=label)
    return _of_one_tensor(net, node, source, target)


def layer_name(net: Followed, node: fx.Node) -> str:
    """Return the name of the weight that a layer node applies."""
    if node.op == "call_module":
        return f"{net.path(node)}.weight".removeprefix(".")
    weight = _weight(node)
    return "" if weight is None else net.path(weight)


def bias_name(net: Followed, node: fx.Node) -> str | None:
    """Return the name of the bias that a layer node adds, None if it adds none."""
    if node.op == "call_module":
        module = net.root.get_submodule(str(node.target))
        there = getattr(module, "bias", None) is not None
        return f"{net.path(node)}.bias".removeprefix(".") if there else None
    bias = _bias(node)
    return None if bias is None else net.path(bias)


def _label(net: Followed, node: fx.Node) -> str:
    if node.op == "call_module":
        return type(net.root.get_submodule(str(node.target))).__name__
    return str(getattr(node.target, "__name__", node.target))


def _of_one_tensor(
    net: Followed, node: fx.Node, source: Shape, target: Shape
) -> Operation:
    unknown = Operation("unknown", detail=_label(net, node))
    name = _torch_name(node)
    if _weight(node) is not None:
        if (bias := _bias(node)) is not None and bias.op != "get_attr":
            return Operation(
                "unknown", detail=f"{_label(net, node)} of a computed bias"
            )
        module = _layer_module(net, node)
        return unknown if module is None else describe(module, source, target)
    if len(sources(node)) == 1 and name in _COPIES:
        return Operation("identity")
    if name in _RESHAPES:
        return reshaped(source, target)
    if name in _TRANSPOSES and _only_reorders_before_flattening(net, node):
        return Operation("flatten", detail="reordered")
    if name in _POOLS and _reduced_axes(net, node) == set(range(2, len(source) + 1)):
        return pooled(_POOLS[name], source, target)
    if (statistics := given_to(node, net.path)) is not None:
        return Operation("norm", detail="BatchNorm", statistics=statistics)
    module = equivalent(node.target, node.args[1:], node.kwargs)
    return unknown if module is None else describe(module, source, target)


def _torch_name(node: fx.Node) -> str:
    """Return the name of a tensor method or of torch's own function, else ""."""
    import torch

    if node.op == "call_method":
        return str(node.target)
    name = str(getattr(node.target, "__name__", ""))
    return name if getattr(torch, name, None) is node.target else ""


def _reduced_axes(net: Followed, node: fx.Node) -> set[int]:
    """Return the axes that a reduction removes, batch axis 0; empty for all."""
    axes = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", ())
    listed = axes if isinstance(axes, tuple | list) else (axes,)
    total = 1 + len(net.sample(sources(node)[0]))
    return {axis % total for axis in listed if isinstance(axis, int)}


def _overwrites_a_value_in_use(net: Followed, node: fx.Node, source: fx.Node) -> bool:
    """Say whether a call writes into its input, which a later call reads."""
    if node.op == "call_module":
        module = net.root.get_submodule(str(node.target))
        in_place = bool(getattr(module, "inplace", False))
    else:
        named = str(getattr(node.target, "__name__", node.target))
        in_place = bool(node.kwargs.get("inplace", False)) or (
            named.endswith("_") and not named.endswith("__")
        )
    return in_place and any(user > node for user in source.users)


def _has_foreign_hooks(module: nn.Module) -> bool:
    """Say whether hooks other than those that compute weights may change the result."""
    from torch.nn.utils.prune import BasePruningMethod
    from torch.nn.utils.spectral_norm import SpectralNorm
    from torch.nn.utils.weight_norm import WeightNorm

    known = (WeightNorm, SpectralNorm, BasePruningMethod)
    before = module._forward_pre_hooks.values()  # noqa: SLF001 - torch has no accessor
    after = module._forward_hooks  # noqa: SLF001 - as above
    return bool(after) or not all(isinstance(hook, known) for hook in before)


def _only_reorders_before_flattening(net: Followed, node: fx.Node) -> bool:
    """Say whether a transposition stays within samples and feeds vectors only."""
    import torch

    shape = (net.batch, *net.sample(sources(node)[0]))
    places = torch.arange(prod(shape)).reshape(shape)
    if node.op == "call_method":
        moved = getattr(places, str(node.target))(*node.args[1:], **node.kwargs)
    else:
        moved = node.target(places, *node.args[1:], **node.kwargs)  # type: ignore[operator] # a call_function node's target is a function
    within = bool((moved[0] < prod(shape[1:])).all())
    vector = (prod(shape[1:]),)
    return within and all(
        operation(net, user).op == "flatten" and net.sample(user) == vector
        for user in node.users
    )


@cache
def _layer_calls() -> Mapping[Any, tuple[str, tuple[str, ...]]]:
    """Return function -> module class, and its arguments after input and weight."""
    from torch.nn import functional

    straight = ("bias", "stride", "padding", "dilation", "groups")
    transposed = ("bias", "stride", "padding", "output_padding", "groups", "dilation")
    found: dict[Any, tuple[str, tuple[str, ...]]] = {
        functional.linear: ("Linear", ("bias",))
    }
    for n in (1, 2, 3):
        found[getattr(functional, f"conv{n}d")] = (f"Conv{n}d", straight)
        call = getattr(functional, f"conv_transpose{n}d")
        found[call] = (f"ConvTranspose{n}d", transposed)
    return found


def _weight(node: fx.Node) -> fx.Node | None:
    """Return the parameter that a functional layer applies to its first argument."""
    from torch import fx

    if node.target not in _layer_calls():
        return None
    weight = node.args[1] if len(node.args) > 1 else node.kwargs.get("weight")
    return weight if isinstance(weight, fx.Node) and weight.op == "get_attr" else None


def _bias(node: fx.Node) -> fx.Node | None:
    """Return what a functional layer adds to its output."""
    from torch import fx

    bias = node.args[2] if len(node.args) > 2 else node.kwargs.get("bias")
    return bias if isinstance(bias, fx.Node) else None


def _layer_module(net: Followed, node: fx.Node) -> nn.Module | None:
    """Return a module without numbers that does what a functional layer does."""
    from torch import nn

    weight = _weight(node)
    parameters = dict(net.root.named_parameters(remove_duplicate=False))
    if weight is None or str(weight.target) not in parameters:
        return None
    shape: tuple[int, ...] = tuple(parameters[str(weight.target)].shape)
    name, names = _layer_calls()[node.target]
    given: dict[str, Any] = dict(zip(names, node.args[2:], strict=False))
    given |= {key: value for key, value in node.kwargs.items() if key in names}
    given["bias"] = given.get("bias") is not None
    if name == "Linear":
        return nn.Linear(shape[1], shape[0], bias=given["bias"], device="meta")
    groups = given.get("groups", 1)
    channels = (shape[1] * groups, shape[0])
    if "Transpose" in name:
        channels = (shape[0], shape[1] * groups)
    module: nn.Module = getattr(nn, name)(*channels, shape[2:], **given, device="meta")
    return module
