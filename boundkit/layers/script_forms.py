"""Forms in which TorchScript writes layers, besides the plain one."""

from __future__ import annotations

from typing import Any

from boundkit.layers.script_values import ScriptTensor

__all__ = ["as_layer", "is_pair"]


def is_pair(given: tuple[Any, ...]) -> bool:
    """Say whether a weight_norm puts together two tensors stored side by side.

    Args:
        given: Arguments: direction, length, dimension.
    """
    stored = [x for x in given[:2] if isinstance(x, ScriptTensor) and x.stored]
    if len(stored) != 2:
        return False
    direction, length = (str(tensor.node.target) for tensor in stored)
    stem = direction.removesuffix("_v")
    return stem != direction and length == f"{stem}_g"


def as_layer(name: str, given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Return the plain layer that a call of an older or a traced form stands for.

    Args:
        name: Of the call, such as ``"_convolution"``.
        given: Its arguments.

    Returns:
        Name and arguments in the form of ``torch.nn.functional``; any other call as is.
    """
    if name == "_convolution" and len(given) >= 9:
        x, weight, bias, stride, padding, dilation, transposed, extra, groups = given[
            :9
        ]
        dims = len(stride)
        if transposed:
            rest = (stride, padding, extra, groups, dilation)
            return f"conv_transpose{dims}d", (x, weight, bias, *rest)
        return f"conv{dims}d", (x, weight, bias, stride, padding, dilation, groups)
    if name == "_convolution_mode" and len(given) == 7:
        return f"conv{len(given[3])}d", given
    if name == "addmm" and len(given) == 3 and (weight := _transposed(given[2])):
        return "linear", (given[1], weight, given[0])
    product = name in {"matmul", "mm"} and len(given) == 2
    if product and (weight := _transposed(given[1])):
        return "linear", (given[0], weight, None)
    return name, given


def _transposed(value: Any) -> ScriptTensor | None:
    return value.transposed if isinstance(value, ScriptTensor) else None
