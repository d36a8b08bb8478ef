"""Calls such as ``relu(x)`` or ``max_pool2d(x, 2)`` as the modules that do the same.

So there is one set of rules for both.
"""

from __future__ import annotations

import operator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

__all__ = ["equivalent", "is_addition"]


@cache
def _calls() -> Mapping[Any, tuple[str, tuple[str, ...]]]:
    """Return function or method name -> module class and its arguments in order."""
    import torch
    from torch.nn import functional

    relu = ("ReLU", ())
    window = ("kernel_size", "stride", "padding")
    found: dict[Any, tuple[str, tuple[str, ...]]] = {
        functional.relu: relu,
        torch.relu: relu,
        torch.relu_: relu,
        "relu": relu,
        "relu_": relu,
        functional.leaky_relu: ("LeakyReLU", ("negative_slope",)),
    }
    for suffix in ("", "1d", "2d", "3d"):
        call = getattr(functional, f"dropout{suffix}")
        found[call] = (f"Dropout{suffix}", ("p", "training"))
    found[functional.alpha_dropout] = ("AlphaDropout", ("p", "training"))
    for n in (1, 2, 3):
        maximum = (*window, "dilation", "ceil_mode", "return_indices")
        average = (*window, "ceil_mode", "count_include_pad", "divisor_override")
        for kind, arguments in (
            ("max_pool", maximum),
            ("avg_pool", average if n > 1 else average[:-1]),
            ("adaptive_avg_pool", ("output_size",)),
            ("adaptive_max_pool", ("output_size", "return_indices")),
        ):
            title = kind.title().replace("_", "")
            found[getattr(functional, f"{kind}{n}d")] = (f"{title}{n}d", arguments)
    return found


def equivalent(
    target: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]
) -> nn.Module | None:
    """Return the module that does what a call does.

    Args:
        target: The function, or the name of a tensor method.
        arguments: Positional arguments after the input.
        keywords: Keyword arguments.

    Returns:
        A module with the same settings, or None if there is none.
    """
    from torch import nn

    known = _calls().get(target)
    if known is None:
        return None
    name, names = known
    given = dict(zip(names, arguments, strict=False)) | {
        key: value for key, value in keywords.items() if key in names
    }
    training = bool(given.pop("training", "training" in names))
    module: nn.Module = getattr(nn, name)(**given)
    return module.train(training)


def is_addition(target: Any) -> bool:
    """Say whether a function or tensor method adds two tensors."""
    import torch

    return target in {operator.add, operator.iadd, torch.add, "add", "add_"}
