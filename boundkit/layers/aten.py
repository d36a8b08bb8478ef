"""Calls of ATen, as torch.export writes them, as the calls of Python that do the same.

So there is one set of rules for both. What is not in the table stays as it is and is
unknown.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import fx

__all__ = ["known", "overload", "translate"]

_METHODS = {
    "aten.add_.Tensor": "add_",
    "aten.relu_.default": "relu_",
    "aten.view.default": "view",
    "aten.contiguous.default": "contiguous",
    "aten.clone.default": "clone",
    "aten.detach.default": "detach",
    "aten.squeeze.dim": "squeeze",
    "aten.squeeze.dims": "squeeze",
    "aten.unsqueeze.default": "unsqueeze",
    "aten.permute.default": "permute",
    "aten.transpose.int": "transpose",
    "aten.reshape.default": "reshape",
    "aten.flatten.using_ints": "flatten",
    "aten.mean.dim": "mean",
    "aten.amax.default": "amax",
}


@cache
def _functions() -> Mapping[str, Any]:
    import torch
    from torch.nn import functional

    found: dict[str, Any] = {
        "aten.add.Tensor": torch.add,
        "aten.linear.default": functional.linear,
        "aten.relu.default": functional.relu,
        "aten.leaky_relu.default": functional.leaky_relu,
        "aten.leaky_relu_.default": functional.leaky_relu,
        "aten.dropout.default": functional.dropout,
        "aten.feature_dropout.default": functional.dropout2d,
        "aten.alpha_dropout.default": functional.alpha_dropout,
        "aten.batch_norm.default": functional.batch_norm,
        "aten.conv_transpose1d.default": functional.conv_transpose1d,
        "aten.conv_transpose2d.input": functional.conv_transpose2d,
        "aten.conv_transpose3d.input": functional.conv_transpose3d,
    }
    for n in (1, 2, 3):
        for kind in ("conv", "max_pool", "avg_pool", "adaptive_avg_pool"):
            function = getattr(functional, f"{kind}{n}d")
            found[f"aten.{kind}{n}d.default"] = function
        found[f"aten.conv{n}d.padding"] = getattr(functional, f"conv{n}d")
    return found


def known(name: str) -> bool:
    """Say whether a call such as ``"aten.conv2d.default"`` is in the table."""
    return name in _METHODS or name in _functions()


@cache
def _overloads() -> Mapping[str, str]:
    return {name.split(".")[1]: name for name in (*_METHODS, *_functions())}


def overload(name: str) -> str | None:
    """Return a name such as ``"aten.conv2d.default"`` for ``"conv2d"``, or None."""
    return _overloads().get(name)


def translate(node: fx.Node, name: str) -> None:
    """Make a node call what does the same as ATen's ``name``; unknown ones stay.

    Args:
        node: A ``call_function`` with ATen's arguments.
        name: Such as ``"aten.conv2d.default"``.
    """
    if name in _METHODS:
        node.op, node.target = "call_method", _METHODS[name]
        return
    if name not in _functions():
        return
    node.target = _functions()[name]
    kind = name.split(".")[1]
    if kind == "batch_norm":
        x, scale, shift, mean, variance, *rest = node.args
        node.args = (x, mean, variance, scale, shift, *rest[:3])
    elif kind == "leaky_relu_":
        node.kwargs = {**node.kwargs, "inplace": True}
    elif "pool" in kind:
        node.args = _with_stride(node.args)


def _with_stride(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Replace a pool's empty stride, which stands for the window, by the window."""
    if len(arguments) > 2 and not arguments[2] and arguments[2] != 0:
        return (*arguments[:2], arguments[1], *arguments[3:])
    return arguments
