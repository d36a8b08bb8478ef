"""From a certified network back to the original one, by fresh inputs without labels.

``R(f) <= R(h) + Pr(f != h)``: where f errs, h errs or differs from it.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.data import open_data
from boundkit.errors import DataError
from boundkit.layers.probe import copied
from boundkit.numerics.binomial_tail import binomial_upper
from boundkit.posthoc.counting import disagreements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch
    from torch import nn

    from boundkit.data import Samples
    from boundkit.posthoc.counting import Differences
    from boundkit.posthoc.sample import Sample

    Batches = Iterable[tuple[torch.Tensor, torch.Tensor]]

__all__ = ["bridged", "differences", "fresh_inputs", "unlabelled_inputs"]


def unlabelled_inputs(spec: Any) -> Samples:
    """Open inputs whose labels, if there are any, nobody looks at.

    Args:
        spec: As for training data; an .npz may hold x alone, an array has no labels.

    Raises:
        DataError: It is not there, or not a data set.
    """
    import numpy as np

    if isinstance(spec, str | Path) and Path(spec).suffix == ".npz":
        path = Path(spec)
        if path.is_file():
            with np.load(path, allow_pickle=False) as stored:
                if "x" in stored and "y" not in stored:
                    return _without_labels(stored["x"])
    elif hasattr(spec, "shape"):
        return _without_labels(spec)
    return open_data(spec, "test")


def _without_labels(x: Any) -> Samples:
    import torch

    return open_data((x, torch.zeros(len(x), dtype=torch.int64)))


def fresh_inputs(spec: Any, sample: Sample, batch_size: int) -> tuple[Samples, int]:
    """Open unlabelled inputs and see whether the training sample has them, too.

    Args:
        spec: As for `unlabelled_inputs`.
        sample: The training sample.
        batch_size: Samples at a time.

    Returns:
        The inputs, and how many of them are in the training sample.

    Raises:
        DataError: They cannot be used, or most of them are in the training sample.
    """
    fresh = unlabelled_inputs(spec)
    known = set(_digests(sample.batches(batch_size)))
    found = [one in known for one in _digests(fresh.batches(batch_size))]
    if 2 * sum(found) > len(found):
        raise DataError(
            f"{fresh.name}: {sum(found)} of {len(found)} inputs are in the training"
            " sample, so they are not fresh; give inputs that training has not seen"
        )
    return fresh, sum(found)


def _digests(batches: Batches) -> Iterator[bytes]:
    for x, _ in batches:
        for row in x.float().contiguous().numpy():
            yield hashlib.blake2b(row.data, digest_size=16).digest()


def bridged(
    original: nn.Module,
    certified: nn.Module,
    fresh: Samples,
    bound: float,
    delta: float,
    device: torch.device,
    batch_size: int,
) -> dict[str, Any]:
    """Return the bound on the original network, and what it is made of.

    Args:
        original: In eval mode.
        certified: In eval mode.
        fresh: Inputs that neither network was chosen with.
        bound: On the certified network.
        delta: Probability that the count of disagreements misleads.
        device: Where to run.
        batch_size: Samples at a time.

    Raises:
        DataError: The inputs are not usable.
        ModelError: A network does not run.
    """
    count, sha256 = differences(original, certified, fresh, device, batch_size)
    share = binomial_upper(count.guarded, count.samples, math.log(delta))
    return {
        "samples": count.samples,
        "disagreements": count.guarded,
        "delta": delta,
        "disagreement_bound": share,
        "bound_original": min(1.0, bound + share),
        "sha256": sha256,
    }


def differences(
    original: nn.Module,
    certified: nn.Module,
    fresh: Samples,
    device: torch.device,
    batch_size: int,
) -> tuple[Differences, str]:
    """Count disagreements of two networks, and hash the inputs that they were seen on.

    Args:
        original: In eval mode.
        certified: In eval mode.
        fresh: The inputs.
        device: Where to run.
        batch_size: Samples at a time.

    Returns:
        The counts, and the SHA-256 of shape and float32 values of the inputs in order.

    Raises:
        DataError: The inputs are not usable.
        ModelError: A network does not run.
    """
    inputs = hashlib.sha256(repr(tuple(fresh.shape)).encode())

    def hashed() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for x, y in fresh.batches(batch_size):
            inputs.update(x.float().contiguous().numpy().data)
            yield x, y

    first, second = (copied(net).to(device).eval() for net in (original, certified))
    return disagreements(first, second, hashed(), device), inputs.hexdigest()
