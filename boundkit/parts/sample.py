"""The net and the data: what all parts that need them share."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from boundkit.measure.observed import Observed
    from boundkit.measure.ranks import Ranks
    from boundkit.types import Checkpoint, Network

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["looked_at", "together"]

#: Parts that look at the net or the data.
_LOOKING = frozenset({"margins", "bounds", "collapse", "noise"})


def together(parts: frozenset[str], *data: Any) -> AbstractContextManager[Ranks]:
    """Join the other processes of the run, if there are any and there are data to share.

    Args:
        parts: To be computed.
        data: SPECs of data, or None for each that is not given.

    Raises:
        ProcessLost: The others cannot be reached.
        UsageError: What torchrun sets does not make sense.
    """
    from boundkit.measure.ranks import ALONE, joined

    shared = parts & _LOOKING and any(one is not None for one in data)
    return joined() if shared else nullcontext(ALONE)


def looked_at(
    network: Network,
    checkpoint: Checkpoint,
    parts: frozenset[str],
    *,
    model: Any,
    data: Any,
    test_data: Any,
    input_shape: Sequence[int] | None,
    device: str,
    batch_size: int,
    progress: Progress,
    normalized: bool,
    head: str | None,
    ranks: Ranks,
) -> Observed:
    """Trace the model and run it over the data, as far as the parts ask for it.

    Args:
        network: Layers as the checkpoint's tensors tell them.
        checkpoint: Where they are from.
        parts: To be computed.
        model: An nn.Module, a SPEC, or None.
        data: The training sample, or None.
        test_data: A held-out sample, or None.
        input_shape: Of one sample, or None.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all or None, and a label.
        normalized: Whether confidence terms rest on declared preprocessing.
        head: What the last layer is called, or None to find it.
        ranks: This process among others that each run a share of the samples.

    Raises:
        DataError: The data cannot be used.
        ModelError: The model does not load, fit or run.
        ProcessLost: Another process of the run failed or went silent.
        UsageError: The device or the head is not there.
    """
    from boundkit.measure.observed import Architecture, Observed

    if not parts & _LOOKING:
        return Observed(Architecture(network, network))
    from boundkit.measure.observation import observed

    return observed(
        network,
        checkpoint,
        model=model,
        data=data,
        test_data=test_data,
        input_shape=input_shape,
        device=device,
        batch_size=batch_size,
        progress=progress,
        normalized=normalized,
        perturb="bounds" in parts,
        features="collapse" in parts,
        head=head,
        ranks=ranks,
    )
