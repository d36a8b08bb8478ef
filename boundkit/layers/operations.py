"""What one module does, in the few words that path counting needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from boundkit.layers.geometry import adaptive_window, of_module, whole_window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from boundkit.types import BatchStatistics, Geometry

__all__ = [
    "Operation",
    "describe",
    "is_plain",
    "pooled",
    "reshaped",
]

Shape = tuple[int, ...]
Rule = Callable[[Any, Shape, Shape], "Operation"]

#: Detail of a layer that adds a bias.
_BIAS = "bias"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a node does; the fields of `boundkit.types.Node` of the same names."""

    op: Literal[
        "layer",
        "activation",
        "average_pool",
        "max_pool",
        "norm",
        "add",
        "flatten",
        "identity",
        "unknown",
    ]
    slope: float | None = None
    geometry: Geometry | None = None
    detail: str = ""
    statistics: BatchStatistics | None = None


def _unknown(detail: str) -> Operation:
    return Operation("unknown", detail=detail)


def _linear(module: Any, source: Shape, target: Shape) -> Operation:
    # On (..., d) inputs it is one map per position, channels last.
    if prod(source) != module.in_features or prod(target) != module.out_features:
        return _unknown("Linear along the last axis of several")
    return Operation("layer", detail=_BIAS if module.bias is not None else "")


def _convolution(module: Any, source: Shape, target: Shape) -> Operation:
    del source, target
    detail = _BIAS if module.bias is not None else ""
    return Operation("layer", geometry=of_module(module), detail=detail)


def _leaky(module: Any, source: Shape, target: Shape) -> Operation:
    del source, target
    return Operation("activation", slope=float(getattr(module, "negative_slope", 0.0)))


def _identity(module: Any, source: Shape, target: Shape) -> Operation:
    del source, target
    if module.training:
        return _unknown(f"{type(module).__name__} that is on in eval mode")
    return Operation("identity")


def _norm(module: Any, source: Shape, target: Shape) -> Operation:
    del source, target
    return Operation("norm", detail=type(module).__name__)


def reshaped(source: Shape, target: Shape) -> Operation:
    """Describe a reshape by the shapes of one sample before and after.

    Args:
        source: Before.
        target: After.

    Returns:
        identity; flatten, to a vector or of positions while channels stay; or unknown.
    """
    if source == target:
        return Operation("identity")
    vector_or_channels_kept = prod(target[1:]) == 1 or source[:1] == target[:1]
    if prod(source) == prod(target) and vector_or_channels_kept:
        return Operation("flatten")
    return _unknown(f"reshape from {source} to {target}")


def _reshape(module: Any, source: Shape, target: Shape) -> Operation:
    del module
    return reshaped(source, target)


def _max_pool(module: Any, source: Shape, target: Shape) -> Operation:
    geometry = of_module(module)
    if geometry is None or module.return_indices:
        return _unknown(type(module).__name__)
    if len(geometry.kernel) != len(source) - 1:
        return _unknown(f"{type(module).__name__} over features")
    return Operation("max_pool", geometry=_reaching(geometry, source, target))


def _average_pool(module: Any, source: Shape, target: Shape) -> Operation:
    geometry = of_module(module)
    if geometry is None:
        return _unknown(type(module).__name__)
    if len(geometry.kernel) != len(source) - 1:
        return _unknown(f"{type(module).__name__} over features")
    if getattr(module, "divisor_override", None) not in {None, prod(geometry.kernel)}:
        return _unknown(f"{type(module).__name__} with a divisor of its own")
    if module.ceil_mode and _reaching(geometry, source, target) != geometry:
        return _unknown(f"{type(module).__name__} with windows that hang over")
    return Operation("average_pool", geometry=geometry)


def _reaching(geometry: Geometry, source: Shape, target: Shape) -> Geometry:
    """Pad the end so that the last window, which ceil_mode lets hang over, fits."""
    padding = []
    for axis, (low, high) in enumerate(geometry.padding):
        reach = geometry.dilation[axis] * (geometry.kernel[axis] - 1) + 1
        last = (target[1 + axis] - 1) * geometry.stride[axis] + reach
        padding.append((low, max(high, last - source[1 + axis] - low)))
    if tuple(padding) == geometry.padding:
        return geometry
    return replace(geometry, padding=tuple(padding), padding_mode="uncounted")


def _adaptive(op: Literal["average_pool", "max_pool"]) -> Rule:
    def rule(module: Any, source: Shape, target: Shape) -> Operation:
        geometry = adaptive_window(source[1:], target[1:])
        if geometry is None or getattr(module, "return_indices", False):
            return _unknown(f"{type(module).__name__} with windows of several sizes")
        return Operation(op, geometry=geometry)

    return rule


def pooled(
    op: Literal["average_pool", "max_pool"], source: Shape, target: Shape
) -> Operation:
    """Describe a mean or maximum over axes by the shapes of one sample.

    Args:
        op: Which of the two.
        source: (channels, positions...) before.
        target: After.

    Returns:
        A pool over all positions, or unknown where it is another reduction.
    """
    ones = (1,) * len(source[1:])
    if len(source) < 2 or target not in {source[:1], (*source[:1], *ones)}:
        return _unknown(f"{op.removesuffix('_pool')} from {source} to {target}")
    return Operation(op, geometry=whole_window(source[1:]))


@cache
def _rules() -> Mapping[type[Any], Rule]:
    from torch import nn

    groups: tuple[tuple[Rule, str], ...] = (
        (_linear, "Linear"),
        (_convolution, "Conv1d Conv2d Conv3d"),
        (_convolution, "ConvTranspose1d ConvTranspose2d ConvTranspose3d"),
        (_leaky, "ReLU LeakyReLU"),
        (_identity, "Identity Dropout Dropout1d Dropout2d Dropout3d AlphaDropout"),
        (_norm, "BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm GroupNorm"),
        (_norm, "LayerNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d RMSNorm"),
        (_reshape, "Flatten Unflatten"),
        (_max_pool, "MaxPool1d MaxPool2d MaxPool3d"),
        (_average_pool, "AvgPool1d AvgPool2d AvgPool3d"),
        (_adaptive("max_pool"), "AdaptiveMaxPool1d AdaptiveMaxPool2d"),
        (_adaptive("max_pool"), "AdaptiveMaxPool3d"),
        (_adaptive("average_pool"), "AdaptiveAvgPool1d AdaptiveAvgPool2d"),
        (_adaptive("average_pool"), "AdaptiveAvgPool3d"),
    )
    return {getattr(nn, n): rule for rule, names in groups for n in names.split()}


def _rule(module: nn.Module) -> Rule | None:
    """Return the rule of the class whose ``forward`` the module runs."""
    if "forward" in vars(module):
        return None
    rules = _rules()
    parents: tuple[Any, ...] = type(module).__mro__
    for parent in parents:
        if parent in rules:
            return rules[parent] if type(module).forward is parent.forward else None
    return None


def is_plain(module: nn.Module) -> bool:
    """Say whether a module computes what a known torch module computes.

    Subclasses that keep ``forward`` are plain, which takes in parametrized modules.
    """
    return _rule(module) is not None


def describe(module: nn.Module, source: Shape, target: Shape) -> Operation:
    """Describe what a module does to one sample.

    Args:
        module: Any module; only plain ones are known.
        source: Shape of its input, batch dimension left out.
        target: Shape of its output, batch dimension left out.

    Returns:
        The operation; ``unknown`` with the class name if there is no rule for it.
    """
    rule = _rule(module)
    if rule is None:
        return _unknown(type(module).__name__)
    return rule(module, source, target)
