"""Features that enter the last layer: their class moments, while the net runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from boundkit.errors import DataError
from boundkit.layers.probe import evaluating
from boundkit.measure.evidence import evidence
from boundkit.measure.forward import forward_passes, placed, resolved
from boundkit.measure.head import Head, weights_of
from boundkit.measure.head_inputs import HeadInputs
from boundkit.measure.label_coding import classes_of
from boundkit.measure.ranks import ALONE, local_device, merged, on_cpu, shard
from boundkit.numerics.nearest import Centers, agreement, decision
from boundkit.numerics.pivoted_sums import PivotedSums

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import torch
    from torch import nn

    from boundkit.data import Samples
    from boundkit.measure.ranks import Ranks
    from boundkit.measure.sample_sums import FirstLayer
    from boundkit.numerics.class_moments import Agreement, ClassMoments
    from boundkit.types import Evidence

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["MEMORY", "Collected", "collected"]

#: Bytes of features that are kept for the comparison with the final means; where there
#: are more, the net runs a second time.
MEMORY = 512 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """What a net and a sample say about the features that enter the last layer.

    Attributes:
        evidence: Margins and input norms, of the same forward passes.
        moments: Of the features per class; float64, on the CPU.
        agreement: Nearest class means against the net's decisions and the labels.
        head: The last layer's weights.
        is_output: Whether the head's outputs are those of the net, number for number;
            False where something follows it, a softmax say.
        passes: How often the net ran over the sample.
        kept: (b, p) features and (b,) classes of each batch of this process, where they
            are few enough; empty where they are not, or were not needed.
    """

    evidence: Evidence
    moments: ClassMoments
    agreement: Agreement
    head: Head
    is_output: bool
    passes: int
    kept: tuple[tuple[torch.Tensor, torch.Tensor], ...] = ()


def collected(
    module: nn.Module,
    samples: Samples,
    head: str,
    *,
    device: str = "auto",
    batch_size: int = 256,
    progress: Progress = None,
    first_layer: FirstLayer = None,
    normalized: bool = False,
    reference: ClassMoments | None = None,
    memory: int = MEMORY,
    ranks: Ranks = ALONE,
) -> Collected:
    """Run a net over a sample; return evidence and class moments of its features.

    One pass; a second one for the nearest class means where the features are too many
    to keep. Sums are float64: they depend neither on batch size nor on order, nor on
    the number of processes, beyond its rounding. Labels -1/+1 are the classes 0 and 1.

    Args:
        module: The trained net; left as it was.
        samples: All of the sample, in every process.
        head: Path of the last linear layer; see `boundkit.measure.head`.
        device: Where to run: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all or None, and a label; in the
            first process only, about its share.
        first_layer: See `boundkit.measure.evidence.evidence`.
        normalized: See there.
        reference: Moments of the training sample, where this one is held out: the means
            that features are compared with. None for this sample's own.
        memory: Bytes of features to keep, in each process.
        ranks: This process among others that each run a share of the sample.

    Raises:
        DataError: Labels do not fit the outputs, or an output is NaN or Inf.
        ModelError: The net does not run, or not in a way that can be watched.
        ProcessLost: Another process of the run failed or went silent.
        UsageError: The device is not there, or the data declare no normalization.
    """
    part, where = shard(samples, ranks), local_device(device, ranks)
    told = progress if ranks.is_writer else None
    watch = _Watch(HeadInputs(head), weights_of(module, head), reference, memory)
    found = evidence(
        module,
        part,
        first_layer=first_layer,
        device=where,
        batch_size=batch_size,
        progress=told,
        normalized=normalized,
        witness=watch,
        ranks=ranks,
    )
    seen = merged(watch.seen, ranks)
    if seen is None:
        raise DataError(f"{samples.name}: no samples in it; give at least one")
    compared = merged(
        lambda: (
            watch.compared(seen.moments)
            or _second_pass(module, part, watch, seen.moments, where, batch_size, told)
        ),
        ranks,
    )
    if compared is None:
        raise DataError(f"{samples.name}: its samples are gone in a second pass")
    return Collected(
        evidence=found,
        moments=seen.moments,
        agreement=compared.agreement,
        head=watch.head,
        is_output=seen.is_output,
        passes=compared.passes,
        kept=watch.kept,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Moments of a share of the sample, and whether the head gave the outputs there."""

    moments: ClassMoments
    is_output: bool

    def __add__(self, other: _Seen) -> _Seen:
        both = self.is_output and other.is_output
        return _Seen(self.moments + other.moments, both)


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """Agreement on a share of the sample, and how often the net ran over it."""

    agreement: Agreement
    passes: int

    def __add__(self, other: _Compared) -> _Compared:
        passes = max(self.passes, other.passes)
        return _Compared(self.agreement + other.agreement, passes)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """What the comparison with the means needs to know of one batch."""

    features: torch.Tensor
    labels: torch.Tensor
    decided: torch.Tensor
    unbiased: torch.Tensor

    @property
    def nbytes(self) -> int:
        return self.features.nbytes + self.labels.nbytes * 3

    def against(self, centers: Centers) -> Agreement:
        return agreement(
            centers, self.features, self.labels, self.decided, self.unbiased
        )


@dataclass(slots=True, eq=False)
class _Watch:
    """Adds up the features of the batches that it sees, and keeps them if they are few.

    Attributes:
        inputs: Catches them.
        head: The layer they enter.
        reference: Moments whose means they are compared with, if those are known.
        memory: Bytes to keep at most.
    """

    inputs: HeadInputs
    head: Head
    reference: ClassMoments | None
    memory: int
    _sums: PivotedSums | None = None
    _kept: list[_Batch] = field(default_factory=list)
    _bytes: int = 0
    _agreement: Agreement | None = None
    _same: torch.Tensor | None = None
    _centers: Centers | None = None

    def watching(self, net: nn.Module) -> AbstractContextManager[None]:
        return self.inputs.watching(net)

    def saw(self, labels: torch.Tensor, outputs: torch.Tensor) -> None:
        import torch

        batch, same = self.batch(labels, outputs)
        if self._sums is None:
            classes, width = max(outputs.shape[1], 2), batch.features.shape[1]
            self._sums = PivotedSums.empty(classes, width, labels.device)
            self._same = same
        self._sums.add(batch.features, batch.labels)
        self._same = same if self._same is None else torch.logical_and(self._same, same)
        self._bytes += batch.nbytes
        if self.reference is not None:
            self.compare(batch, self.reference)
        elif self._bytes <= self.memory:
            self._kept.append(batch)
        else:
            self._kept.clear()

    def batch(
        self, labels: torch.Tensor, outputs: torch.Tensor
    ) -> tuple[_Batch, torch.Tensor]:
        """Return the batch that has just run, and whether the head gave the outputs."""
        caught = self.inputs.taken(outputs)
        given = caught.outputs.to(outputs.device)
        bias = self.head.bias
        plain = given if bias is None else given.double() - bias.to(outputs.device)
        same = (given == outputs).all()
        features = caught.features.to(outputs.device)
        classes = classes_of(labels)
        return _Batch(features, classes, decision(outputs), decision(plain)), same

    def compare(self, batch: _Batch, reference: ClassMoments) -> None:
        if self._centers is None:
            device = batch.labels.device
            mean, count = reference.mean.to(device), reference.count.to(device)
            self._centers = Centers.of(mean, count)
        found = batch.against(self._centers)
        self._agreement = found if self._agreement is None else self._agreement + found

    @property
    def kept(self) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
        """Features and classes of each batch, on the CPU."""
        return tuple((one.features.cpu(), one.labels.cpu()) for one in self._kept)

    def seen(self) -> _Seen | None:
        if self._sums is None or self._same is None:
            return None
        return _Seen(on_cpu(self._sums.finished()), bool(self._same))

    def compared(self, moments: ClassMoments) -> _Compared | None:
        """Return the agreement if it is known or can be had from what was kept."""
        if self._agreement is None:
            for batch in self._kept:
                self.compare(batch, moments)
        if self._agreement is None:
            return None
        return _Compared(on_cpu(self._agreement), 1)


def _second_pass(
    module: nn.Module,
    samples: Samples,
    first: _Watch,
    moments: ClassMoments,
    device: str,
    batch_size: int,
    progress: Progress,
) -> _Compared | None:
    import torch

    where = resolved(device)
    net = placed(module, where)
    home = "cpu" if where.type == "mps" else where
    watch = _Watch(first.inputs, first.head, None, 0)
    done = 0
    with evaluating(net), torch.inference_mode(), watch.watching(net):
        for _, labels, outputs in forward_passes(net, samples, where, batch_size):
            batch, _ = watch.batch(labels.to(home), outputs.to(home))
            watch.compare(batch, moments)
            done += len(labels)
            if progress is not None:
                progress(done, samples.n, "second pass")
    found = watch.compared(moments)
    return None if found is None else replace(found, passes=2)
