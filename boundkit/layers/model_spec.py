"""Models that the user names, and the loading of a checkpoint into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.data.callables import produced
from boundkit.data.tensors import from_stored
from boundkit.errors import BoundkitError, ModelError
from boundkit.layers.probe import copied

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import torch
    from torch import nn

    from boundkit.types import Checkpoint, StoredTensor

__all__ = ["fit", "load_model"]

#: Names listed in a message before the rest is counted.
_LISTED = 4


def load_model(spec: str) -> nn.Module:
    """Make the model that ``spec`` names.

    Args:
        spec: ``package.module:callable`` or ``file.py:callable``; called without
            arguments, unless it is a module already.

    Returns:
        The module, as it was made.

    Raises:
        ModelError: No such file, module or name, the call raised, or it made something
            else than a torch module.
    """
    from torch import nn

    found = produced(spec, lambda named: isinstance(named, nn.Module), ModelError)
    if not isinstance(found, nn.Module):
        raise ModelError(
            f"{spec} gives a {type(found).__name__}, not a torch.nn.Module; name a"
            " callable that returns one"
        )
    return found


def fit(module: nn.Module, checkpoint: Checkpoint) -> nn.Module:
    """Return a copy of a module with the weights of a checkpoint, in eval mode.

    Every tensor of the one must be in the other, with the same shape; one prefix that
    all names share may differ. Numbers are kept exactly: the copy is float64 if the
    checkpoint is, else float32.

    Args:
        module: The architecture; left as it is.
        checkpoint: The weights.

    Returns:
        The loaded copy, on the CPU.

    Raises:
        ModelError: They do not fit; the message names each kind of mismatch.
        Unreadable: The bytes are not there.
    """
    _require_sizes(module)
    wide = any(t.dtype == "float64" for t in checkpoint.tensors.values())
    fitted = copied(module).cpu()
    fitted = (fitted.double() if wide else fitted.float()).eval()
    wanted = fitted.state_dict(keep_vars=True)
    stored = _renamed(_with_aliases(checkpoint), wanted)
    _require_shapes(stored, wanted, checkpoint.source)
    state = {name: _tensor(name, t, checkpoint) for name, t in stored.items()}
    loaded = fitted.load_state_dict(state, strict=False)
    missing = [n for n in loaded.missing_keys if not _implied(n, wanted, stored)]
    _require_none(missing, loaded.unexpected_keys, fitted, checkpoint.source)
    return fitted


def _require_sizes(module: nn.Module) -> None:
    from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

    tensors = [*module.named_parameters(), *module.named_buffers()]
    unsized = (UninitializedParameter, UninitializedBuffer)
    lazy = [n for n, t in tensors if isinstance(t, unsized)]
    if lazy:
        raise ModelError(
            f"the model has lazy layers without sizes ({_list(lazy)}); run it once on"
            " a sample before it is returned"
        )


def _with_aliases(checkpoint: Checkpoint) -> dict[str, StoredTensor]:
    tensors = dict(checkpoint.tensors)
    for alias, name in checkpoint.aliases.items():
        if name in tensors:
            tensors.setdefault(alias, tensors[name])
    return tensors


def _renamed(
    stored: dict[str, StoredTensor], wanted: Mapping[str, Any]
) -> dict[str, StoredTensor]:
    """Add or drop one prefix, where that makes every name of the file fit."""
    if not stored or set(stored) & set(wanted):
        return stored
    first = next(iter(stored))
    for name in wanted:
        if name.endswith(f".{first}"):
            longer = {name.removesuffix(first) + key: t for key, t in stored.items()}
            if set(longer) <= set(wanted):
                return longer
        if first.endswith(f".{name}"):
            prefix = first.removesuffix(name)
            if all(key.startswith(prefix) for key in stored):
                return {key.removeprefix(prefix): t for key, t in stored.items()}
    return stored


def _require_shapes(
    stored: Mapping[str, StoredTensor], wanted: Mapping[str, Any], source: str
) -> None:
    wrong = [
        f"{name!r} {tensor.shape} in the file, {tuple(wanted[name].shape)} in the model"
        for name, tensor in stored.items()
        if name in wanted and tuple(wanted[name].shape) != tensor.shape
    ]
    if wrong:
        raise ModelError(
            f"{source}: shapes differ: {_list(wrong, quote=False)}; give the model that"
            " was trained"
        )


def _tensor(name: str, tensor: StoredTensor, checkpoint: Checkpoint) -> torch.Tensor:
    try:
        return from_stored(tensor)
    except BoundkitError as error:
        raise ModelError(
            f"{checkpoint.source}: {name!r} cannot be loaded into the model ({error});"
            " store it as plain numbers"
        ) from error


def _implied(
    name: str, wanted: Mapping[str, torch.Tensor], stored: Mapping[str, Any]
) -> bool:
    """Say whether a name may be missing: a tied twin is there, or it only counts."""
    if name.endswith("num_batches_tracked"):
        return True
    twin = wanted.get(name)
    return any(other is twin and key in stored for key, other in wanted.items())


def _require_none(
    missing: list[str], unexpected: list[str], module: nn.Module, source: str
) -> None:
    found = [
        f"{what}: {_list(names)}"
        for what, names in (
            ("not in the file", missing),
            ("not in the model", unexpected),
        )
        if names
    ]
    if found:
        raise ModelError(
            f"{source}: does not fit {type(module).__name__}; {'; '.join(found)}; give"
            " the model that was trained"
        )


def _list(names: Iterable[str], *, quote: bool = True) -> str:
    listed = [repr(name) if quote else name for name in names]
    more = len(listed) - _LISTED
    return ", ".join(listed[:_LISTED]) + (f" and {more} more" if more > 0 else "")
