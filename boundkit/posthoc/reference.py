"""Numbers beside a certificate: what a held-out sample says of both networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.data import open_data
from boundkit.layers.probe import copied
from boundkit.numerics.tails import clopper_pearson
from boundkit.posthoc.counting import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

__all__ = ["references"]


def references(
    original: nn.Module,
    settled: nn.Module,
    tensors: Mapping[str, torch.Tensor],
    test_data: Any,
    delta: float,
    device: torch.device,
    batch_size: int,
) -> dict[str, float | None]:
    """Return hold-out numbers, None each without a held-out sample.

    Args:
        original: The network that was given, in eval mode.
        settled: The same with its BatchNorm folded.
        tensors: Weights of the certified network, by name.
        test_data: A held-out sample or None.
        delta: Of the hold-out bound, on its own.
        device: Where to run.
        batch_size: Samples at a time.

    Raises:
        DataError: The sample is not usable.
        ModelError: A network does not run.
    """
    if test_data is None:
        return dict.fromkeys(("holdout_bound", "test_error", "certified_test_error"))
    samples = open_data(test_data, "test")
    first, second = (copied(net).to(device).eval() for net in (original, settled))
    (own,) = counted(first, [{}], samples.batches(batch_size), device)
    (drawn,) = counted(second, [tensors], samples.batches(batch_size), device)
    n = samples.n or sum(len(y) for _, y in samples.batches(batch_size))
    return {
        "holdout_bound": clopper_pearson(own.plain, n, delta),
        "test_error": own.plain / n,
        "certified_test_error": drawn.plain / n,
    }
