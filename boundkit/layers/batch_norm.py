"""The running statistics that a BatchNorm in eval mode applies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.types import BatchStatistics

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import fx, nn

__all__ = ["given_to", "kept_by"]

#: Arguments of ``torch.nn.functional.batch_norm`` after the input.
_ARGUMENTS = (
    "running_mean",
    "running_var",
    "weight",
    "bias",
    "training",
    "momentum",
    "eps",
)


def kept_by(module: nn.Module, path: str) -> BatchStatistics | None:
    """Return the statistics that a module applies in eval mode.

    Args:
        module: Any module.
        path: Of the module, which starts the names of its tensors.

    Returns:
        None for anything else than a BatchNorm with running statistics.
    """
    from torch import nn

    kinds = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm
    if not isinstance(module, kinds) or module.training:
        return None
    stem = f"{path}." if path else ""
    # torch declares these as tensors; without statistics or affine they are None.
    mean, variance, scale, shift = (
        None if getattr(module, name, None) is None else f"{stem}{name}"
        for name in _ARGUMENTS[:4]
    )
    if mean is None or variance is None:
        return None
    return BatchStatistics(mean, variance, scale, shift, float(module.eps))


def given_to(node: fx.Node, path: Callable[[fx.Node], str]) -> BatchStatistics | None:
    """Return the statistics in a call of ``torch.nn.functional.batch_norm``.

    Args:
        node: Any call of a followed graph.
        path: Returns the name of the tensor that a ``get_attr`` node reads.

    Returns:
        None for any other call, with batch statistics, or if a tensor is computed.
    """
    from torch.nn import functional

    if node.target is not functional.batch_norm:
        return None
    given: dict[str, Any] = dict(zip(_ARGUMENTS, node.args[1:], strict=False))
    given |= {name: v for name, v in node.kwargs.items() if name in _ARGUMENTS}
    names = [_name(given.get(argument), path) for argument in _ARGUMENTS[:4]]
    mean, variance, scale, shift = names
    if given.get("training", False) or not mean or not variance or "" in names:
        return None
    return BatchStatistics(mean, variance, scale, shift, float(given.get("eps", 1e-5)))


def _name(value: Any, path: Callable[[fx.Node], str]) -> str | None:
    """Return the name of a stored tensor, None for no tensor, "" for a computed one."""
    if value is None:
        return None
    return path(value) if getattr(value, "op", "") == "get_attr" else ""
