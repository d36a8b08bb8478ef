"""Stand-ins for what a foreign graph names: modules without numbers, calls never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

__all__ = ["holding", "nameless"]


def nameless(name: str) -> Any:
    """Return a function that stands for a call; it bears its name and is never run."""

    def unknown(*arguments: Any) -> None:
        del arguments

    unknown.__name__ = name
    return unknown


def holding(shapes: Mapping[str, tuple[int, ...]]) -> nn.Module:
    """Return a module with parameters of these names and shapes, without numbers.

    Args:
        shapes: Dotted name -> shape.
    """
    import torch
    from torch import nn

    root = nn.Module()
    for name, shape in shapes.items():
        *path, leaf = name.split(".")
        parent = root
        for part in path:
            if part not in dict(parent.named_children()):
                parent.add_module(part, nn.Module())
            parent = parent.get_submodule(part)
        empty: torch.Tensor = torch.empty(shape, device="meta")
        parent.register_parameter(leaf, nn.Parameter(empty, requires_grad=False))
    return root
