"""What becomes of a network's outputs when one layer's numbers are doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.layers.probe import copied, evaluating

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from torch import nn

__all__ = ["doubling_errors"]


def doubling_errors(
    module: nn.Module,
    x: torch.Tensor,
    uses: Mapping[str, int],
    biases: Sequence[str] = (),
) -> Mapping[str, float]:
    """Return how far each doubled weight is from multiplying the outputs by 2^uses.

    Args:
        module: The network; left as it is.
        x: (b, ...) inputs of its dtype, on its device.
        uses: Name of a weight -> how often the network applies it.
        biases: Names of tensors that are doubled along with every weight.

    Returns:
        Name -> ``||f' / 2^uses - f|| / ||f||``; weights that cannot be set are left
        out, and all are if the outputs are 0.
    """
    import torch

    net = _with_plain_weights(copied(module))
    numbers = dict(net.named_parameters(remove_duplicate=False))
    found: dict[str, float] = {}
    with evaluating(net), torch.inference_mode():
        direct = net(x).double()
        size = float(direct.norm())
        for name in uses if size > 0 else ():
            doubled = [numbers[n] for n in (name, *biases) if n in numbers]
            if name not in numbers:
                continue
            # Powers of two keep every digit, so that halving restores the numbers.
            for parameter in doubled:
                parameter.mul_(2)
            after = net(x).double() / 2.0 ** uses[name]
            for parameter in doubled:
                parameter.mul_(0.5)
            found[name] = float((after - direct).norm()) / size
    return found


def _with_plain_weights(module: nn.Module) -> nn.Module:
    """Replace weights that are computed at each call by what is computed."""
    from torch.nn.utils import (
        parametrize,
        prune,
        remove_spectral_norm,
        remove_weight_norm,
    )
    from torch.nn.utils.spectral_norm import SpectralNorm
    from torch.nn.utils.weight_norm import WeightNorm

    for part in module.modules():
        if parametrize.is_parametrized(part):
            for name in list(part.parametrizations):  # type: ignore[arg-type] # a ModuleDict is iterable
                parametrize.remove_parametrizations(part, name)
        for hook in list(part._forward_pre_hooks.values()):  # noqa: SLF001 - torch has no accessor
            if isinstance(hook, WeightNorm):
                remove_weight_norm(part, hook.name)
            elif isinstance(hook, SpectralNorm):
                remove_spectral_norm(part, hook.name)
            elif isinstance(hook, prune.BasePruningMethod):
                # torch's function has no annotations.
                prune.remove(part, hook._tensor_name)  # type: ignore[no-untyped-call] # noqa: SLF001 - as above
    return module
