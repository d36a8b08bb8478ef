"""What ``draw``, ``code`` and ``holdout`` are given, opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from boundkit.data import open_data
from boundkit.errors import ModelError
from boundkit.measure.forward import logits
from boundkit.posthoc.opened import opened
from boundkit.posthoc.sample import gathered

if TYPE_CHECKING:
    import torch
    from torch import nn

    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample
    from boundkit.posthoc.settled import Settled

__all__ = ["place_of", "require_finite", "require_independent", "taken"]

#: Samples that are run together and in pairs, and how far outputs may be apart, as a
#: share of the largest: far above rounding, far below what changes a class.
_LOOKED_AT, _APART = 32, 1e-3


def taken(
    source: Any,
    model: Any,
    data: Any,
    part: Literal["train", "test"],
    batch_size: int,
    *,
    key: str | None = None,
    trust: bool = False,
) -> tuple[Opened, Sample]:
    """Open a checkpoint in its model, and a sample.

    Args:
        source: A path, or an nn.Module or state_dict in memory.
        model: An nn.Module or SPEC; None where the source is a module.
        data: A SPEC string, Dataset, DataLoader or (x, y).
        part: Of the data, where the SPEC names a folder that has several.
        batch_size: Samples at a time.
        key: Which model, where the file holds several.
        trust: Allow code in the file to run, where it cannot be read otherwise.

    Raises:
        CheckpointError: The checkpoint is broken, not ours to open, or empty.
        DataError: The data cannot be used.
        ModelError: The model does not load, fit or run, or cannot be certified.
        UsageError: There is no model.
    """
    samples = open_data(data, part)
    found = opened(source, model, samples.shape, key=key, trust=trust)
    sample = gathered(samples, batch_size)
    require_independent(found.net.module, sample.x[:_LOOKED_AT])
    return found, sample


def require_independent(module: nn.Module, x: torch.Tensor) -> None:
    """Check that the output for one sample does not depend on what else is in its batch.

    Args:
        module: In eval mode, on the device of x.
        x: (b, ...) a few samples.

    Raises:
        ModelError: It does, so that there is no such thing as its error on one input.
    """
    import torch

    with torch.inference_mode():
        whole = logits(module, x).double()
        parts = torch.cat([logits(module, two) for two in torch.split(x, 2)]).double()
    apart = (whole - parts).abs().nan_to_num(0.0)
    largest = whole.abs().nan_to_num(0.0, 0.0).amax(1, keepdim=True)
    if bool((apart > _APART * largest).any()):
        raise ModelError(
            "the output for a sample depends on the other samples of its batch, so there"
            " is no error on one input to certify; make forward treat samples alone"
        )


def require_finite(net: Settled) -> None:
    """Refuse weights that nothing can be proved around.

    Args:
        net: The trained network.

    Raises:
        ModelError: Some are NaN or infinite.
    """
    for name, value in net.values().items():
        if not bool(value.isfinite().all()):
            raise ModelError(
                f"{name!a} holds NaN or infinite weights, around which nothing can be"
                " certified; give a checkpoint from before training diverged"
            )


def place_of(spec: Any) -> str | None:
    """Return the path of a checkpoint, None for one in memory.

    Args:
        spec: What the user gave, or None.
    """
    return str(spec) if isinstance(spec, str | Path) else None
