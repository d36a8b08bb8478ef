"""Passes over the samples of which gradients are taken, a chunk at a time."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import cache, partial, reduce
from typing import TYPE_CHECKING

from boundkit.measure.noise.losses import slopes
from boundkit.measure.noise.moments import Deviations, Moments
from boundkit.measure.noise.per_sample import gradients
from boundkit.measure.noise.xu2023 import Euler, tangents, widest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import torch
    from torch import nn

    from boundkit.measure.noise.per_sample import Way

    Rows = Mapping[str, torch.Tensor]
    Report = Callable[[str], None]

__all__ = ["Batch", "Plan", "Seen", "batches", "compared", "seen", "widest_pairs"]

#: Bytes of gradients that are held at a time, and that are kept between passes.
_HELD, _KEPT = 2**30, 2**30
#: Passes over all samples whose time the search over pairs may take.
_PATIENCE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything that gradients of single samples depend on.

    Attributes:
        module: In eval mode on its device, wanting no gradients.
        names: Layer -> the module's name of its weight.
        weights: Layer -> (numel,) its weight, float64, where the sums are taken.
        normalized: Layers whose pull on ``V_k`` is looked at; none if the loss or the
            number of outputs are not those of Xu et al. (2023).
        loss: ``"square"`` or ``"cross-entropy"``.
        outputs: Of the net.
        way: How gradients are had.
        patches: Layer -> the largest rank of its gradient by one sample, where a run
            of the module tells.
    """

    module: nn.Module
    names: Mapping[str, str]
    weights: Mapping[str, torch.Tensor]
    normalized: frozenset[str]
    loss: str
    outputs: int
    way: Way
    patches: Mapping[str, int]

    @property
    def bytes_per_sample(self) -> int:
        """Of all gradients of one sample."""
        sizes = {name: weight.numel() for name, weight in self.weights.items()}
        return 8 * sum(n * (1 + (k in self.normalized)) for k, n in sizes.items())


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Gradients of some samples.

    Attributes:
        gradients: Layer -> (c, numel) of the loss.
        tangents: Layer -> (c, numel) pull on the normalized layer.
        euler: Whether the output is linear in each layer; None for several outputs.
    """

    gradients: Rows
    tangents: Rows
    euler: Euler | None


def batch_of(plan: Plan, x: torch.Tensor, labels: torch.Tensor) -> Batch:
    """Take the gradients of some samples.

    Args:
        plan: What they depend on.
        x: (c, *shape) on the device, in the module's dtype.
        labels: (c,) on the device.

    Returns:
        Float64, where the weights of the plan are.
    """
    ours = dict(plan.module.named_parameters(remove_duplicate=False))
    weights: dict[str, torch.Tensor] = {n: ours[n] for n in plan.names.values()}
    chunk = gradients(plan.module, weights, x, labels, plan.loss, plan.way)
    rows = {layer: chunk.rows[name] for layer, name in plan.names.items()}
    if plan.outputs > 1:
        return Batch(rows, {}, None)
    f = chunk.outputs.squeeze(1)
    slope = slopes(f, labels.to(f.device), plan.loss)
    own = {layer: rows[layer] for layer in plan.names if layer in plan.normalized}
    return Batch(
        {layer: slope.unsqueeze(1) * part for layer, part in rows.items()},
        tangents(own, f, slope, plan.weights),
        Euler.of(own, f, plan.weights),
    )


def batches(
    plan: Plan, x: torch.Tensor, labels: torch.Tensor, batch_size: int
) -> Sequence[Callable[[], Batch]]:
    """Return what takes the gradients of each chunk of samples in turn.

    Chunks are as large as memory allows; where all fit they are taken only once.

    Args:
        plan: What gradients depend on.
        x: (m, *shape) on the CPU.
        labels: (m,) on the CPU.
        batch_size: Most samples in a chunk.
    """
    first = next(plan.module.parameters())
    # Two chunks are there at a time when pairs are compared.
    size = max(1, min(batch_size, _HELD // max(2 * plan.bytes_per_sample, 1)))

    def taken(start: int) -> Batch:
        part = x[start : start + size].to(first.device, first.dtype)
        return batch_of(plan, part, labels[start : start + size].to(first.device))

    once = len(x) * plan.bytes_per_sample <= _KEPT
    run = cache(taken) if once else taken
    return tuple(partial(run, start) for start in range(0, len(x), size))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one pass tells; that of two samples adds up.

    Attributes:
        gradient: Moments of the gradients of the loss.
        tangent: Moments of the pulls on normalized layers.
        euler: Whether the output is linear in each layer, or None.
    """

    gradient: Moments
    tangent: Moments
    euler: Euler | None

    @classmethod
    def of(cls, batch: Batch) -> Seen:
        """Take the moments of a batch."""
        return cls(Moments.of(batch.gradients), Moments.of(batch.tangents), batch.euler)

    def __add__(self, other: Seen) -> Seen:
        """Merge two disjoint samples."""
        euler = self.euler
        if euler is not None and other.euler is not None:
            euler += other.euler
        return Seen(self.gradient + other.gradient, self.tangent + other.tangent, euler)


def seen(chunks: Sequence[Callable[[], Batch]], report: Report) -> Seen:
    """Take the moments of all samples.

    Args:
        chunks: What takes their gradients, one or more.
        report: Called with a label after each chunk.
    """

    def each() -> Iterator[Seen]:
        for chunk in chunks:
            yield Seen.of(chunk())
            report("gradients")

    return reduce(operator.add, each())


def compared(
    chunks: Sequence[Callable[[], Batch]],
    means: Seen,
    weights: Mapping[str, torch.Tensor],
    report: Report,
) -> tuple[Deviations, Deviations]:
    """Compare each sample with the means.

    Args:
        chunks: What takes their gradients, one or more.
        means: Of all of them.
        weights: Layer -> (numel,).
        report: Called with a label after each chunk.

    Returns:
        Deviations of the gradients, and of the pulls on normalized layers.
    """

    def each() -> Iterator[tuple[Deviations, Deviations]]:
        for chunk in chunks:
            batch = chunk()
            yield (
                Deviations.of(batch.gradients, means.gradient.mean, weights),
                Deviations.of(batch.tangents, means.tangent.mean, weights),
            )
            report("noise")

    return reduce(lambda a, b: (a[0] + b[0], a[1] + b[1]), each())


def widest_pairs(
    chunks: Sequence[Callable[[], Batch]],
    mean: Mapping[str, torch.Tensor],
    report: Report,
) -> tuple[dict[str, torch.Tensor], int]:
    """Return the largest squared distance between two samples' pulls on each layer.

    All pairs are looked at where that takes no longer than four passes, else all pairs
    of as many of the first samples.

    Args:
        chunks: What takes their gradients, one or more.
        mean: Layer -> (numel,), subtracted first.
        report: Called with a label after each chunk.

    Returns:
        Layer -> (), and the number of samples that were looked at.
    """
    import torch

    total = len(chunks)
    while total > 1 and total * (total - 1) // 2 > _PATIENCE * len(chunks):
        total -= 1
    found: dict[str, torch.Tensor] = {}
    samples = 0
    for i in range(total):
        one = chunks[i]().tangents
        samples += max(map(len, one.values()), default=0)
        for j in range(i, total):
            other = one if i == j else chunks[j]().tangents
            for layer, square in widest(one, other, mean).items():
                known = found.get(layer)
                found[layer] = square if known is None else torch.maximum(known, square)
            report("pairs")
    return found, samples
