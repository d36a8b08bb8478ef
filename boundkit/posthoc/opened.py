"""The checkpoint and the model of a certificate, made into a network that can be counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boundkit import readers
from boundkit.errors import UsageError
from boundkit.layers.model_spec import fit, load_model
from boundkit.posthoc.settled import changed_buffers, settled
from boundkit.readers.digest import fingerprint

if TYPE_CHECKING:
    from torch import nn

    from boundkit.posthoc.settled import Settled
    from boundkit.types import Checkpoint

__all__ = ["Opened", "opened", "refit"]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A trained network in two forms.

    Attributes:
        made: The model as it was given or made.
        trained: With the weights of the checkpoint, float32, in eval mode, on the CPU.
        net: The same function, BatchNorm folded, counted tensors named.
        loose: Buffers that are counted.
        checkpoint: Where the weights are from.
        sha256: Of its files, None for one in memory.
    """

    made: nn.Module
    trained: nn.Module
    net: Settled
    loose: tuple[str, ...]
    checkpoint: Checkpoint
    sha256: str | None


def opened(
    source: Any,
    model: Any,
    shape: tuple[int, ...],
    *,
    key: str | None = None,
    trust: bool = False,
) -> Opened:
    """Open a checkpoint and put it into its model.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        model: An nn.Module or SPEC; None where the source is a module.
        shape: Of one sample.
        key: Which model, where the file holds several.
        trust: Allow code in the file to run, where it cannot be read otherwise.

    Raises:
        CheckpointError: It is broken, not ours to open, or empty.
        ModelError: The model does not load or fit, or cannot be certified.
        UsageError: There is no model.
    """
    if model is None and hasattr(source, "named_modules"):
        model = source
    if model is None:
        raise UsageError(
            "a certificate needs the model that the weights belong to: give --model"
        )
    checkpoint = readers.read(source, key=key, trust=trust)
    made = load_model(model) if isinstance(model, str) else model
    trained = fit(made, checkpoint).float()
    # A model in memory may have been trained itself, so it says nothing about buffers.
    fresh = made if isinstance(model, str) else None
    loose = changed_buffers(trained, fresh)
    net = settled(trained, shape, loose)
    return Opened(made, trained, net, loose, checkpoint, fingerprint(checkpoint))


def refit(
    found: Opened, source: Any, shape: tuple[int, ...], *, trust: bool = False
) -> tuple[Settled, str | None]:
    """Put another checkpoint into the same model, counted in the same way.

    Args:
        found: What the model and the counted buffers are taken from.
        source: A path, or an nn.Module or state_dict in memory.
        shape: Of one sample.
        trust: Allow code in the file to run, where it cannot be read otherwise.

    Returns:
        The network, and the SHA-256 of the file.

    Raises:
        CheckpointError: It is broken, not ours to open, or empty.
        ModelError: It does not fit the model.
    """
    checkpoint = readers.read(source, trust=trust)
    module = fit(found.made, checkpoint).float()
    return settled(module, shape, found.loose), fingerprint(checkpoint)
