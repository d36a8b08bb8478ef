"""Features that enter the last layer: their class moments, while the net runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.errors import DataError
from boundkit.measure.evidence import evidence
from boundkit.measure.feature_share import Rows
from boundkit.measure.feature_watch import Source, Watch
from boundkit.measure.head import Head, weights_of
from boundkit.measure.head_inputs import HeadInputs
from boundkit.measure.ranks import ALONE, local_device, merged, on_cpu, shard
from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.known_means import KnownMeans
from boundkit.numerics.nearest import Centers
from boundkit.numerics.pivoted_sums import PivotedSums
from boundkit.numerics.span import span_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import nn

    from boundkit.data import Samples
    from boundkit.measure.ranks import Ranks
    from boundkit.measure.sample_sums import FirstLayer
    from boundkit.numerics.class_moments import Agreement
    from boundkit.numerics.class_totals import ClassTotals
    from boundkit.numerics.span import Span
    from boundkit.types import Evidence

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["MEMORY", "Collected", "collected"]

#: Bytes of features that are kept for the passes after the first; where there are more,
#: the net runs again.
MEMORY = 2**30


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """What a net and a sample say about the features that enter the last layer.

    Attributes:
        evidence: Margins and input norms, of the same forward passes.
        moments: Of the features per class; float64, on the CPU. Of wide features the
            scatter is known in a span.
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

    One pass; a second one for the nearest class means, and for the scatter of wide
    features, where the features are too many to keep. Sums are float64: they depend
    neither on batch size nor on order, nor on the number of processes, beyond its
    rounding. Labels -1/+1 are the classes 0 and 1.

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
    watch = Watch(HeadInputs(head), weights_of(module, head), reference, memory)
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
    source = Source(watch, module, part, where, batch_size, told)
    moments, agreement, passes = _finished(source, seen.sums, samples.name, ranks)
    return Collected(
        evidence=found,
        moments=moments,
        agreement=agreement,
        head=watch.head,
        is_output=seen.is_output,
        passes=passes,
        kept=tuple((one.features.cpu(), one.labels.cpu()) for one in watch.kept),
    )


def _finished(
    source: Source, sums: ClassMoments | ClassTotals, name: str, ranks: Ranks
) -> tuple[ClassMoments, Agreement, int]:
    """Return the moments, what they agree with, and how often the net ran.

    Raises:
        DataError: There is nothing left to see after the first pass.
    """
    if isinstance(sums, ClassMoments):
        compared = merged(lambda: _compared(source, sums), ranks)
    else:
        span = span_of(sums, source.watch.head.weight, lambda: _gathered(source, ranks))
        compared = merged(
            lambda: (
                _scattered_everywhere(source, sums)
                if span is None
                else _scattered(source, sums, span)
            ),
            ranks,
        )
    if compared is None:
        raise DataError(f"{name}: its samples are gone in a second pass")
    moments = compared.moments
    if isinstance(sums, ClassMoments):
        moments = sums
    assert moments is not None  # noqa: S101 - both ways give some
    return moments, compared.agreement, compared.passes


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """What passes after the first say of a share of the sample.

    Attributes:
        moments: Where the first pass gave class sums only; else None.
        agreement: With the class means.
        passes: How often the net ran over the sample.
    """

    moments: ClassMoments | None
    agreement: Agreement
    passes: int

    def __add__(self, other: _Compared) -> _Compared:
        moments = None
        if self.moments is not None and other.moments is not None:
            moments = self.moments + other.moments
        passes = max(self.passes, other.passes)
        return _Compared(moments, self.agreement + other.agreement, passes)


def _compared(source: Source, moments: ClassMoments) -> _Compared | None:
    found = source.watch.agreement
    if found is None:
        centers = None
        for batch in source.batches():
            device = batch.labels.device
            if centers is None:
                mean, count = moments.mean.to(device), moments.count.to(device)
                centers = Centers.of(mean, count)
            seen = batch.against(centers)
            found = seen if found is None else found + seen
    return None if found is None else on_cpu(_Compared(None, found, source.runs))


def _gathered(source: Source, ranks: Ranks) -> torch.Tensor | None:
    def mine() -> Rows:
        return Rows(tuple(batch.features.cpu() for batch in source.batches()))

    found = merged(mine, ranks)
    return None if found is None else found.joined


def _scattered(source: Source, totals: ClassTotals, span: Span) -> _Compared | None:
    found = sums = None
    for batch in source.batches():
        device = batch.labels.device
        if sums is None:
            sums = KnownMeans.empty(
                totals.mean.to(device), totals.count.to(device), span.basis.to(device)
            )
        seen, _ = sums.add(batch.features, batch.labels, batch.decided, batch.unbiased)
        found = seen if found is None else found + seen
    if found is None or sums is None:
        return None
    moments = sums.finished(found.count.double(), complete=span.complete)
    known = source.watch.agreement or found
    return on_cpu(_Compared(moments, known, source.runs))


def _scattered_everywhere(source: Source, totals: ClassTotals) -> _Compared | None:
    found = sums = centers = None
    for batch in source.batches():
        device = batch.labels.device
        if sums is None or centers is None:
            centers = Centers.of(totals.mean.to(device), totals.count.to(device))
            classes, width = totals.sums.shape
            sums = PivotedSums.empty(classes, width, device)
        sums.add(batch.features, batch.labels)
        seen = batch.against(centers)
        found = seen if found is None else found + seen
    if found is None or sums is None:
        return None
    known = source.watch.agreement or found
    return on_cpu(_Compared(sums.finished(), known, source.runs))
