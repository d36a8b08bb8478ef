"""The values that a prior is centered at, by the user's choice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundkit.layers.probe import copied
from boundkit.posthoc.opened import refit
from boundkit.posthoc.prior_center import (
    neutral,
    require_untrained,
    same_tensors,
)

if TYPE_CHECKING:
    import torch

    from boundkit.posthoc.opened import Opened
    from boundkit.posthoc.sample import Sample

__all__ = ["prior_center", "starting_values"]


def prior_center(
    found: Opened,
    init: Any,
    sample: Sample,
    device: torch.device,
    batch_size: int,
    trust: bool,
) -> dict[str, torch.Tensor]:
    """Return the counted tensors of an untrained checkpoint, or the neutral ones.

    Args:
        found: The trained network.
        init: A path, or an nn.Module or state_dict in memory; None for the zero prior.
        sample: The training sample, which an init must not have seen.
        device: Where to run.
        batch_size: Samples at a time.
        trust: Allow code in the file to run, where it cannot be read otherwise.

    Raises:
        CheckpointError: It is broken, not ours to open, or empty.
        ModelError: It does not fit the model.
        UsageError: It has been trained.
    """
    if init is None:
        return neutral(found.net)
    return starting_values(found, init, sample, device, batch_size, trust)


def starting_values(
    found: Opened,
    init: Any,
    sample: Sample,
    device: torch.device,
    batch_size: int,
    trust: bool,
) -> dict[str, torch.Tensor]:
    """Return the counted tensors of an untrained checkpoint.

    Args:
        found: The trained network, which it must fit.
        init: A path, or an nn.Module or state_dict in memory.
        sample: The training sample, which it must not have seen.
        device: Where to run.
        batch_size: Samples at a time.
        trust: Allow code in the file to run, where it cannot be read otherwise.

    Raises:
        CheckpointError: It is broken, not ours to open, or empty.
        ModelError: It does not fit the model.
        UsageError: It has been trained.
    """
    from boundkit import readers
    from boundkit.layers.model_spec import fit

    start, _ = refit(found, init, sample.samples.shape, trust=trust)
    same_tensors(found.net, start)
    raw = fit(found.made, readers.read(init, trust=trust))
    on_device = replace(start, module=copied(start.module).to(device))
    require_untrained(raw, on_device, sample, device, batch_size)
    return start.values()
