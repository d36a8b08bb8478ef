"""Features of the last layer once more, for what needs its own passes over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.layers.probe import evaluating
from boundkit.measure.forward import forward_passes, placed, resolved
from boundkit.measure.head_inputs import HeadInputs
from boundkit.measure.label_coding import classes_of
from boundkit.measure.ranks import local_device, shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import nn

    from boundkit.data import Samples
    from boundkit.measure.features import Collected
    from boundkit.measure.ranks import Ranks

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["feature_batches"]


def feature_batches(
    found: Collected,
    module: nn.Module,
    samples: Samples,
    *,
    device: str,
    batch_size: int,
    progress: Progress,
    ranks: Ranks,
) -> Callable[[], Iterator[tuple[torch.Tensor, torch.Tensor]]]:
    """Return what yields features and classes of this process's share, again and again.

    They come from memory where they were kept; else the net runs once more each time.

    Args:
        found: What the first pass over the sample gave.
        module: The net.
        samples: All of the sample, in every process.
        device: Where to run.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all or None, and a label.
        ranks: This process among others that each run a share of the sample.

    Returns:
        A function of nothing to (b, p) features and (b,) classes, on the CPU.
    """
    if found.kept:
        return lambda: iter(found.kept)
    part, where = shard(samples, ranks), resolved(local_device(device, ranks))

    def run() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        import torch

        net, done = placed(module, where), 0
        inputs = HeadInputs(found.head.name)
        with evaluating(net), torch.inference_mode(), inputs.watching(net):
            for _, labels, outputs in forward_passes(net, part, where, batch_size):
                features = inputs.taken(outputs).features
                yield features.cpu(), classes_of(labels)
                done += len(labels)
                if progress is not None:
                    progress(done, part.n, "features")

    return run
