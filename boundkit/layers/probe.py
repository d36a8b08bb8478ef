"""Running a module once, to learn about it, without leaving a trace on it."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    import torch
    from torch import nn

__all__ = ["copied", "evaluating", "is_homogeneous", "precision", "random_inputs"]

#: Powers of two scale floats exactly; the small one makes small biases stand out.
_SCALES = (2.0, 2.0**-10)


@contextmanager
def evaluating(module: nn.Module) -> Generator[None, None, None]:
    """Put a module into eval mode for a while, and each part back as it was."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def copied(module: nn.Module) -> nn.Module:
    """Return a deep copy; weights that hooks computed come without their history."""
    import torch

    computed = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, torch.Tensor) and not value.is_leaf
    }
    found = copy.deepcopy(module, dict(computed))
    for part in found.modules():
        if "parametrizations" in dict(part.named_children()):
            _with_own_class(part)
    return found


def _with_own_class(part: nn.Module) -> None:
    """Give a copied module a class of its own.

    A parametrization makes a class for its module and hangs properties on it. Copies
    share that class, so removing a parametrization from a copy would remove the property
    from the original too.
    """
    shared = type(part)
    made_by_python = {"__dict__", "__weakref__"}
    names = {k: v for k, v in vars(shared).items() if k not in made_by_python}
    part.__class__ = type(shared.__name__, shared.__bases__, names)


def precision(module: nn.Module) -> torch.dtype | None:
    """Return the floating dtype of the module's numbers, None if it has none."""
    tensors = [*module.parameters(), *module.buffers()]
    return next((t.dtype for t in tensors if t.is_floating_point()), None)


def random_inputs(module: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    """Return standard normal inputs, always the same ones.

    Args:
        module: Says the dtype and device.
        shape: Of all of them together.

    Returns:
        A tensor of that shape.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    return x.to(device, precision(module) or torch.get_default_dtype())


def is_homogeneous(module: nn.Module, x: torch.Tensor) -> bool | None:
    """Say whether f(s x) = s f(x) at s = 2 and s = 2^-10, as far as can be seen.

    Tried on ``x`` and on random inputs of its shape, in eval mode.

    Args:
        module: The network f.
        x: (b, ...) real inputs.

    Returns:
        True within 1e-4 relative error, False otherwise; None where f does not run,
        is not finite, or vanishes on all of them.
    """
    import torch

    with evaluating(module), torch.inference_mode():
        try:
            errors = [
                _relative_error(module, inputs, scale)
                for inputs in (
                    random_inputs(module, tuple(x.shape)),
                    x.to(random_inputs(module, (1,))),
                )
                for scale in _SCALES
            ]
        # A module is foreign code: it may raise anything.
        except Exception:  # noqa: BLE001 - the answer is "cannot be seen"
            return None
    known = [error for error in errors if error == error]  # noqa: PLR0124 - drops NaN
    if not known:
        return None
    return max(known) <= 1e-4


def _relative_error(module: nn.Module, x: torch.Tensor, scale: float) -> float:
    """Return ||f(s x)/s - f(x)|| / max(||f(x)||, ||f(s x)/s||); NaN for 0/0."""
    import torch

    direct = module(x).to(torch.float64)
    scaled = module(x * scale).to(torch.float64) / scale
    size = torch.maximum(direct.norm(), scaled.norm())
    return float((scaled - direct).norm() / size)
