"""Tensor calls of followed TorchScript code, written down as a graph.

Writing in place is written down as a new value; a view that was written to through
another one can no longer be read. So the graph is pure, whatever the code is.
"""

from __future__ import annotations

import operator
from math import prod
from typing import TYPE_CHECKING, Any

from boundkit.layers.aten import overload, translate
from boundkit.layers.placeholders import nameless
from boundkit.layers.script_forms import as_layer, is_pair
from boundkit.layers.script_values import (
    NotFollowed,
    ScriptTensor,
    TooMuch,
    tensors_of,
)
from boundkit.layers.shapes_only import shape_of_result

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import fx

    Shape = tuple[int, ...]

__all__ = ["Recorder"]

#: Calls that are worth reading.
_MOST_CALLS = 5000
#: Numbers in one map of the batch.
_MOST_NUMBERS = 2**26
#: Calls that return new memory; the result of any other may be a view of its input.
_FRESH = frozenset({
    *("add", "linear", "relu", "leaky_relu", "batch_norm", "mean", "amax", "cat"),
    *("sigmoid", "tanh", "gelu", "silu", "softmax", "matmul", "bmm", "layer_norm"),
    *("mul", "sub", "div"),
    *(f"{kind}{n}d" for n in (1, 2, 3) for kind in ("conv", "conv_transpose")),
    *(f"{kind}{n}d" for n in (1, 2, 3) for kind in ("max_pool", "avg_pool")),
})


class Recorder:
    """A graph that grows call by call, with the shapes of its values.

    Attributes:
        graph: The calls, in forward order.
        shapes: Node -> shape; () where it is not known.
        stored: Name of a stored tensor -> shape.
    """

    def __init__(self) -> None:
        from torch import fx

        self.graph: fx.Graph = fx.Graph()
        self.shapes: dict[fx.Node, Shape | None] = {}
        self.stored: dict[str, Shape] = {}
        self._by_name: dict[str, ScriptTensor] = {}
        self._views: dict[object, list[ScriptTensor]] = {}

    def input(self, name: str, shape: Shape) -> ScriptTensor:
        """Return the input of the network.

        Args:
            name: Of the argument.
            shape: Of a batch.
        """
        import torch

        node = self.graph.placeholder(name)
        return self._kept(node, torch.empty(shape, device="meta"), None)

    def constant(self, name: str, shape: Shape, *, integer: bool) -> ScriptTensor:
        """Return a stored tensor by its name, the same one each time."""
        import torch

        if name not in self._by_name:
            dtype = torch.int64 if integer else torch.float32
            like = torch.empty(shape, dtype=dtype, device="meta")
            self.stored[name] = shape
            self._by_name[name] = self._kept(self.graph.get_attr(name), like, None)
        return self._by_name[name]

    def call(
        self,
        name: str,
        given: tuple[Any, ...],
        keywords: Mapping[str, Any],
        label: str,
        place: str,
    ) -> Any:
        """Write down a call of torch and return what it gives.

        Args:
            name: Such as ``"conv2d"`` or ``"relu_"``.
            given: Arguments by position.
            keywords: Arguments by name.
            label: What it is called where it is no operation that we know.
            place: Path of the module that calls, for the node's name.

        Raises:
            NotFollowed: It writes into a stored tensor.
            TooMuch: There is no end of calls, or of numbers.
        """
        if len(self.shapes) > _MOST_CALLS:
            raise TooMuch(f"the program has more than {_MOST_CALLS} calls")
        if _counts(name, given):
            return given[0]
        target = _written(name, given, keywords)
        plain = name if target is None else name[:-1]
        plain, given = as_layer(plain, given)
        if plain == "_weight_norm" and is_pair(given):
            return self._rebuilt(given)
        known = overload(plain)
        node = self._node(known, plain, given, keywords, label, place)
        likes = shape_of_result(plain, _likes(given), _likes(dict(keywords)))
        view = None if plain in _FRESH else _first(given)
        if target is not None:
            self._write(target, node, likes)
            return target
        return self._result(node, likes, view, plain, given)

    def opaque(
        self, given: Any, label: str, place: str, like: torch.Tensor | None = None
    ) -> ScriptTensor:
        """Return what something unknown makes of the tensors in ``given``.

        Args:
            given: Its arguments.
            label: What it is called.
            place: Path of the module that calls, for the node's name.
            like: Of the shape of what it gives, or of the first of several results.
        """
        read = tuple(tensors_of(given))
        node = self._node(None, label, read, {}, label, place)
        return self._kept(node, like, _first(read))

    def parts(self, tensor: ScriptTensor, count: int) -> list[ScriptTensor]:
        """Return the parts of a value of which the first may be known."""
        return [
            self._kept(
                self._part(tensor.node, index), None if index else tensor.like, tensor
            )
            for index in range(count)
        ]

    def _part(self, node: fx.Node, index: int) -> fx.Node:
        return self.graph.call_function(operator.getitem, (node, index))

    def _node(
        self,
        known: str | None,
        name: str,
        given: tuple[Any, ...],
        keywords: Mapping[str, Any],
        label: str,
        place: str,
    ) -> fx.Node:
        read = [*tensors_of(given), *tensors_of(dict(keywords))]
        if any(tensor.stale for tensor in read):
            known, label = None, f"{label} of a value that a view of it overwrote"
        node = self.graph.create_node(
            "call_function",
            nameless(label if known is None else known),
            tuple(_nodes(part) for part in given),
            {key: _nodes(part) for key, part in keywords.items()},
            name="_".join((*place.split("."), name)).strip("_"),
        )
        if known is not None:
            translate(node, known)
        return node

    def _kept(
        self,
        node: fx.Node,
        like: torch.Tensor | None,
        view: ScriptTensor | None,
    ) -> ScriptTensor:
        self.shapes[node] = _shape(like)
        made = ScriptTensor(node, like)
        if view is not None:
            made.memory = view.memory
            made.stale = view.stale
        self._views.setdefault(made.memory, []).append(made)
        return made

    def _result(
        self,
        node: fx.Node,
        likes: Any,
        view: ScriptTensor | None,
        name: str,
        given: tuple[Any, ...],
    ) -> Any:
        if isinstance(likes, list):
            self.shapes[node] = ()
            return [
                self._kept(self._part(node, index), like, view)
                for index, like in enumerate(likes)
            ]
        made = self._kept(node, likes, view)
        source = _first(given)
        turned = name == "t" or (name == "transpose" and set(given[1:3]) == {0, 1})
        if turned and source is not None and source.stored and _is_matrix(source):
            made.transposed = source
        return made

    def _write(self, target: ScriptTensor, node: fx.Node, likes: Any) -> None:
        for other in self._views[target.memory]:
            other.stale = other.stale or other is not target
        target.node = node
        target.like = likes if _shape(likes) == _shape(target.like) else None
        self.shapes[node] = _shape(target.like)

    def _rebuilt(self, given: tuple[Any, ...]) -> ScriptTensor:
        # The reader puts such pairs together under the name of the weight.
        direction = given[0].node.target
        shape = tuple(given[0].like.shape)
        return self.constant(direction.removesuffix("_v"), shape, integer=False)


def _shape(like: Any) -> Shape:
    if like is None or isinstance(like, list):
        return ()
    shape = tuple(like.shape)
    if prod(shape) > _MOST_NUMBERS:
        raise TooMuch("its code asks for maps out of the ordinary")
    return shape


def _is_matrix(tensor: ScriptTensor) -> bool:
    return tensor.like is not None and tensor.like.dim() == 2


def _first(given: Any) -> ScriptTensor | None:
    return next(iter(tensors_of(given)), None)


def _nodes(value: Any) -> Any:
    """Return an argument as a graph keeps it."""
    if isinstance(value, ScriptTensor):
        return value.node
    if isinstance(value, list | tuple):
        return [_nodes(part) for part in value]
    plain = value is None or isinstance(value, bool | int | float | str)
    return value if plain else repr(type(value))


def _likes(value: Any) -> Any:
    if isinstance(value, ScriptTensor):
        return value.like if value.like is not None else value
    if isinstance(value, dict):
        return {key: _likes(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_likes(part) for part in value)
    return value


def _counts(name: str, given: tuple[Any, ...]) -> bool:
    """Say whether a call only counts the batches that a BatchNorm has seen."""
    tensor = given[0] if name == "add_" and given else None
    if not isinstance(tensor, ScriptTensor) or not tensor.stored:
        return False
    return str(tensor.node.target).endswith("num_batches_tracked")


def _written(
    name: str, given: tuple[Any, ...], keywords: Mapping[str, Any]
) -> ScriptTensor | None:
    """Return the tensor that a call writes into, None if it writes into none.

    Raises:
        NotFollowed: It writes into a stored tensor, or into what it is given besides.
    """
    if "out" in keywords:
        raise NotFollowed(f"{name!a} in its code writes into a tensor that it is given")
    if not name.endswith("_") or name.endswith("__"):
        return None
    target = given[0] if given else None
    if not isinstance(target, ScriptTensor) or target.stored:
        raise NotFollowed(f"{name!a} in its code changes stored tensors")
    return target
