"""The last layer of a checkpoint, for features that come without one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from boundkit.errors import UsageError
from boundkit.numerics.blocks import array

if TYPE_CHECKING:
    from boundkit.data.features import Features
    from boundkit.types import Layer, Network

__all__ = ["stored_head"]

#: Names listed in a message before the rest is counted.
_LISTED = 6


def stored_head(network: Network, name: str | None, features: Features) -> Features:
    """Return the features with the last linear layer of a checkpoint.

    Args:
        network: Its layers.
        name: What the layer is called, or None for the last one that is linear.
        features: Without a layer of their own.

    Returns:
        With weight and bias; unchanged where no layer is named and the last one does not
        fit.

    Raises:
        UsageError: The layer that is named is not there, not linear, or does not fit.
        Unreadable: The bytes of its weight are not there.
    """
    linear = [one for one in network.layers if one.kind == "linear"]
    if name is None:
        last = linear[-1] if linear else None
        return (
            features
            if last is None or _misfit(last, features)
            else _with(last, features)
        )
    path = name.removesuffix(".weight")
    found = [one for one in linear if one.name.removesuffix(".weight") == path]
    if not found:
        names = ", ".join(repr(one.name) for one in linear[:_LISTED])
        rest = f" and {len(linear) - _LISTED} more" if len(linear) > _LISTED else ""
        raise UsageError(
            f"the checkpoint has no linear layer {name!r}; it has {names}{rest}"
            if linear
            else f"the checkpoint has no linear layer, so none is called {name!r}"
        )
    if why := _misfit(found[0], features):
        raise UsageError(f"{name!r} {why}; name the layer that the features enter")
    return _with(found[0], features)


def _misfit(layer: Layer, features: Features) -> str:
    rows, width = layer.weight.shape
    if width != features.width:
        return f"takes {width} numbers, but {features.name} has {features.width} each"
    if rows not in {features.classes, 1} and rows < features.classes:
        return f"has {rows} outputs, but {features.name} has {features.classes} classes"
    return "" if rows > 1 or features.classes <= 2 else "has one output only"


def _with(layer: Layer, features: Features) -> Features:
    import torch

    rows = layer.weight.shape[0]
    bias = None
    if layer.bias is not None:
        bias = torch.from_numpy(array(layer.bias).astype("float64"))
    return replace(
        features,
        weight=torch.from_numpy(array(layer.weight).astype("float64")),
        bias=bias,
        classes=max(rows, 2, features.classes),
    )
