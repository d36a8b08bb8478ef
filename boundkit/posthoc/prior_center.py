"""Where the prior is centered: a place that the sample has not chosen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundkit.errors import ModelError, UsageError
from boundkit.posthoc.counting import counted
from boundkit.posthoc.settled import batch_norms

if TYPE_CHECKING:
    import torch
    from torch import nn

    from boundkit.posthoc.sample import Sample
    from boundkit.posthoc.settled import Settled

__all__ = ["neutral", "require_untrained", "same_tensors"]

#: An init errs less than this share of chance only if it has learned something. Untrained
#: nets come down to 0.9 of chance with ten classes and, by luck, to 0.45 with two.
_LEARNED = {2: 0.4}
_LEARNED_OTHERWISE = 0.7
_DEVIATIONS = 5.0


def neutral(net: Settled) -> dict[str, torch.Tensor]:
    """Return the center of the zero prior: 0, but 1 for what normalization multiplies by.

    Args:
        net: Whose free tensors it is for.

    Returns:
        Name -> values.
    """
    import torch

    norms = (*batch_norms(), torch.nn.LayerNorm, torch.nn.GroupNorm)
    ones = {
        f"{path}.{name}"
        for path, part in net.module.named_modules()
        if isinstance(part, norms) or type(part).__name__.endswith("RMSNorm")
        for name in ("weight", "running_var")
    }
    return {
        name: torch.ones_like(value) if name in ones else torch.zeros_like(value)
        for name, value in net.values().items()
    }


def require_untrained(
    raw: nn.Module, net: Settled, sample: Sample, device: torch.device, batch_size: int
) -> None:
    """Refuse a starting point that has visibly seen the sample.

    Args:
        raw: The network as its file holds it.
        net: The same, settled, on the device.
        sample: The training sample.
        device: Where to run.
        batch_size: Samples at a time.

    Raises:
        UsageError: BatchNorm has counted batches, or it errs too rarely for one that
            was not trained.
    """
    for path, part in raw.named_modules():
        seen = getattr(part, "num_batches_tracked", None)
        if isinstance(part, batch_norms()) and seen is not None and int(seen) > 0:
            raise UsageError(
                f"init has seen data: BatchNorm {path!a} has counted {int(seen)} batches;"
                " give the checkpoint from before the first step, or --prior zero"
            )
    (count,) = counted(net.module, [{}], sample.batches(batch_size), device)
    share = _LEARNED.get(len(sample.counts), _LEARNED_OTHERWISE)
    limit = sample.chance_error * share
    slack = _DEVIATIONS * math.sqrt(limit * (1 - limit) / sample.n)
    error = count.plain / sample.n
    if error < limit - slack:
        raise UsageError(
            f"init errs on {error:.1%} of the sample, where guessing errs on"
            f" {sample.chance_error:.1%}: it has been trained, so it may have seen these"
            " samples; give the checkpoint from before training, or --prior zero"
        )


def same_tensors(first: Settled, second: Settled) -> None:
    """Check that two networks are counted alike.

    Args:
        first: The trained one.
        second: The starting point.

    Raises:
        ModelError: They are not.
    """
    if first.free != second.free:
        odd = sorted(set(first.free) ^ set(second.free))[:1]
        raise ModelError(
            f"init and checkpoint do not fold alike, {odd!a} is counted in one only; use"
            " --prior zero"
        )
