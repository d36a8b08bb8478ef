"""Which parameter of a module holds the weight of which layer."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.layers.matching import stored_name
from boundkit.layers.probe import copied
from boundkit.types import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from boundkit.types import Layer, Network

__all__ = ["Placement", "placement"]


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """A module whose weights are parameters of their own, and where each layer's is.

    Attributes:
        module: A copy in eval mode that wants no gradients; weights that
            parametrizations or hooks compute have become plain parameters.
        names: Layer -> the module's name of its weight.
        missing: Layer -> why it has none.
    """

    module: nn.Module
    names: Mapping[str, str]
    missing: Mapping[str, str]


def placement(network: Network, module: nn.Module) -> Placement:
    """Return where a module keeps the weights of a network's layers.

    One prefix of the names may differ, and tied weights may go by any of their names.

    Args:
        network: Its layers, named as in the checkpoint.
        module: Holds their weights; left as it is.
    """
    plain = _plain(module)
    weights = {layer.name: layer.weight for layer in network.layers}
    bare = Checkpoint("", "", (), (), 0, MappingProxyType(weights))
    find = stored_name(plain, bare, weights)
    parameters = dict(plain.named_parameters(remove_duplicate=False))
    found: dict[str, str] = {}
    for name in parameters:
        found.setdefault(find(name), name)
    names: dict[str, str] = {}
    missing: dict[str, str] = {}
    for layer in network.layers:
        ours = found.get(layer.name)
        shape = None if ours is None else tuple(parameters[ours].shape)
        if ours is not None and shape == layer.weight.shape:
            names[layer.name] = ours
        else:
            missing[layer.name] = _reason(layer, shape)
    return Placement(plain, MappingProxyType(names), MappingProxyType(missing))


def _reason(layer: Layer, shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "the model has no parameter of that name"
    return f"the model's parameter has shape {shape}, not {layer.weight.shape}"


def _plain(module: nn.Module) -> nn.Module:
    """Return a copy in which every weight that is computed is a parameter."""
    plain = copied(module).eval()
    for part in list(plain.modules()):
        _settle_parametrizations(part)
        _settle_hooks(part)
    return plain.requires_grad_(requires_grad=False)


def _settle_parametrizations(part: nn.Module) -> None:
    from torch.nn import ModuleDict
    from torch.nn.utils import parametrize

    computed = getattr(part, "parametrizations", None)
    if isinstance(computed, ModuleDict):
        for name in list(computed):
            parametrize.remove_parametrizations(part, name)


def _settle_hooks(part: nn.Module) -> None:
    from torch.nn.utils import prune
    from torch.nn.utils.spectral_norm import SpectralNorm
    from torch.nn.utils.weight_norm import WeightNorm

    hooks: dict[int, Any] = part._forward_pre_hooks  # noqa: SLF001 - torch has no accessor
    for key, hook in list(hooks.items()):
        if isinstance(hook, WeightNorm | SpectralNorm):
            remove: Any = hook.remove
            remove(part)
            del hooks[key]
        elif isinstance(hook, prune.BasePruningMethod):
            prune.remove(part, hook._tensor_name)  # type: ignore[no-untyped-call] # torch leaves it untyped # noqa: SLF001 - as above
