"""A training sample as certificates need it: hashed, counted, and kept as far as it fits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from boundkit.data import Samples

__all__ = ["Sample", "gathered", "require_labels"]

#: Bytes of inputs that are kept for the optimizer.
_KEPT = 2**30


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A sample that was read once from end to end.

    Attributes:
        samples: Where to read it again.
        x: (m, ...) float32 inputs that are kept, all of them where they fit.
        labels: (m,) of those.
        n: How many samples there are in all.
        counts: How many of each label, the smallest label first.
        sha256: Of inputs and labels in order.
    """

    samples: Samples
    x: torch.Tensor
    labels: torch.Tensor
    n: int
    counts: tuple[int, ...]
    sha256: str

    @property
    def chance_error(self) -> float:
        """Error of always answering the most frequent label."""
        return 1 - max(self.counts) / self.n

    def batches(self, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield every sample once, from memory where it is kept.

        Args:
            size: The most samples in a batch.

        Yields:
            (b, ...) float32 inputs and (b,) labels.

        Raises:
            DataError: A batch is not usable.
        """
        import torch

        if len(self.x) == self.n:
            parts = torch.split(self.x, size), torch.split(self.labels, size)
            yield from zip(*parts, strict=True)
            return
        for x, y in self.samples.batches(size):
            yield x.float(), y


def gathered(samples: Samples, batch_size: int, kept: int = _KEPT) -> Sample:
    """Read a sample, hash it, and keep every k-th input so that they fit.

    Args:
        samples: The sample.
        batch_size: Samples at a time.
        kept: Bytes of inputs to keep at most.

    Raises:
        DataError: A batch is not usable, or there are no samples.
    """
    import torch

    n = samples.n
    if n is None:
        n = sum(len(y) for _, y in samples.batches(batch_size))
    if n == 0:
        raise DataError(f"{samples.name}: no samples in it; give at least one")
    step = max(1, -(-n * 4 * prod(samples.shape) // kept))
    inputs, targets = hashlib.sha256(), hashlib.sha256()
    xs, ys, everything, seen = [], [], [], 0
    for x, y in samples.batches(batch_size):
        narrow = x.float().contiguous()
        inputs.update(narrow.numpy().data)
        targets.update(y.contiguous().numpy().data)
        first = -seen % step
        xs.append(narrow[first::step])
        ys.append(y[first::step])
        everything.append(y)
        seen += len(y)
    labels = torch.cat(everything)
    counts = torch.bincount(labels - labels.min()).tolist()
    shape = repr((seen, *samples.shape)).encode()
    digest = hashlib.sha256(shape + inputs.digest() + targets.digest()).hexdigest()
    return Sample(samples, torch.cat(xs), torch.cat(ys), seen, tuple(counts), digest)


def require_labels(sample: Sample, outputs: int) -> None:
    """Check that the labels fit the outputs of a net.

    Args:
        sample: Whose labels they are.
        outputs: C.

    Raises:
        DataError: A label has no output.
    """
    low, high = int(sample.labels.min()), int(sample.labels.max())
    if high >= max(outputs, 2) or (low < 0 and outputs > 2):
        raise DataError(
            f"{sample.samples.name}: labels run from {low} to {high}, but the model has"
            f" {outputs} outputs; give the data it was trained on"
        )
