"""Class moments of features that are stored, and how they and a last layer decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from boundkit.errors import DataError
from boundkit.measure.feature_share import Rows, Share
from boundkit.measure.forward import resolved
from boundkit.measure.head import Head
from boundkit.measure.ranks import ALONE, local_device, merged, on_cpu, share
from boundkit.measure.sample_sums import raw_margins
from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.class_totals import ClassTotals
from boundkit.numerics.nearest import Centers, agreement, decision
from boundkit.numerics.pivoted_sums import PivotedSums
from boundkit.numerics.span import WIDE, Projected, Span, span_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from boundkit.data.features import Features
    from boundkit.measure.ranks import Ranks
    from boundkit.numerics.class_moments import Agreement

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["FeatureStatistics", "feature_statistics"]

#: The fewest samples in a block whose outer products are added up.
_ROWS = 512
#: Samples that are read at a time where few numbers of each are kept.
_SPAN_ROWS = 2048


@dataclass(frozen=True, slots=True, eq=False)
class FeatureStatistics:
    """What stored features say; everything on the CPU.

    Attributes:
        moments: Per class; NaN for what a broken sample enters.
        agreement: Nearest class means against decisions and labels; None if a sample
            is broken.
        head: The layer that they enter, or None.
        margins: (n,) raw margins of the head's outputs; None without one.
        broken: Indices of the first samples that hold NaN or Inf, ten at most.
    """

    moments: ClassMoments
    agreement: Agreement | None
    head: Head | None
    margins: NDArray[np.float64] | None
    broken: tuple[int, ...] = ()


def feature_statistics(
    features: Features,
    *,
    scatter: Literal["auto", "whole", "span"] = "auto",
    reference: ClassMoments | None = None,
    device: str = "cpu",
    progress: Progress = None,
    ranks: Ranks = ALONE,
) -> FeatureStatistics:
    """Read features twice and return their moments and how they are decided.

    Sums are float64: they depend neither on order nor on the number of processes,
    beyond its rounding. Memory is that of a block, ``p^2`` and ``C p``.

    Args:
        features: All of the sample, in every process.
        scatter: ``"whole"`` for the scatter in all directions. ``"span"`` for that
            among the class means and the head's rows, at a fraction of the cost where
            they are few: then measures that need all of the scatter have no value.
            ``"auto"`` for the span where features are wide (see `boundkit.numerics.span`).
        reference: Moments of the training sample, where this one is held out: the means
            that features are compared with. The scatter is whole then.
        device: Where to compute: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
        progress: Called with samples done, samples in all, and a label.
        ranks: This process among others that each read a share.

    Raises:
        DataError: The file is damaged.
        ProcessLost: Another process of the run failed or went silent.
        UsageError: The device is not there.
    """
    where = resolved(local_device(device, ranks))
    reader = Share(
        features,
        *share(features.n, ranks),
        # No float64 on MPS.
        "cpu" if where.type == "mps" else str(where),
        progress if ranks.is_writer else None,
    )
    narrow = scatter == "span" or (scatter == "auto" and features.width > WIDE)
    totals = merged(lambda: _totals(reader), ranks) if narrow else None
    span, finite = None, totals is None or bool(totals.sums.isfinite().all())
    if totals is not None and reference is None and finite:
        span = span_of(totals, features.weight, lambda: _gathered(reader, ranks))
    if totals is not None and not finite:
        found = merged(lambda: _unsummed(reader, totals), ranks)
    elif totals is not None and span is not None:
        found = merged(lambda: _projected(reader, totals, span), ranks)
    else:
        found = _whole(reader, reference, ranks)
    if found is None:
        raise DataError(f"{features.name}: no samples in it; give at least one")
    weight = features.weight
    return FeatureStatistics(
        moments=found.moments,
        agreement=found.agreement,
        head=None if weight is None else Head("W", weight, features.bias),
        margins=_joined(found.margins) if found.agreement is not None else None,
        broken=found.broken,
    )


def _totals(reader: Share) -> ClassTotals:
    import torch

    width, classes = reader.features.width, reader.features.classes
    sums = torch.zeros(classes, width, dtype=torch.float64, device=reader.device)
    wide = sums.new_empty(reader.rows(), width)
    for _, block, labels in reader.blocks(_SPAN_ROWS, "class means"):
        for low in range(0, len(block), len(wide)):
            part = block[low : low + len(wide)]
            # Room that is used again: fresh memory costs more than the arithmetic.
            room = wide[: len(part)].copy_(part)
            sums.index_add_(0, labels[low : low + len(part)], room)
    mine = reader.features.labels[reader.start : reader.stop]
    count = torch.bincount(mine, minlength=classes).to(sums)
    return ClassTotals(count, sums)


def _gathered(reader: Share, ranks: Ranks) -> torch.Tensor | None:
    def mine() -> Rows:
        blocks = reader.blocks(_SPAN_ROWS, "all features")
        return Rows(tuple(block for _, block, _ in blocks))

    found = merged(mine, ranks)
    return None if found is None else found.joined


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What a share of the features adds to the statistics."""

    moments: ClassMoments
    agreement: Agreement | None
    margins: tuple[torch.Tensor, ...]
    broken: tuple[int, ...] = ()

    def __add__(self, other: _Found) -> _Found:
        both = None
        if self.agreement is not None and other.agreement is not None:
            both = self.agreement + other.agreement
        return _Found(
            self.moments + other.moments,
            both,
            self.margins + other.margins,
            (self.broken + other.broken)[:10],
        )


def _projected(reader: Share, totals: ClassTotals, span: Span) -> _Found | None:
    import torch

    features = reader.features
    weight, bias = (
        None if layer is None else layer.to(reader.device)
        for layer in (features.weight, features.bias)
    )
    mean, count = totals.mean.to(reader.device), totals.count.to(reader.device)
    basis = span.basis.to(reader.device)
    sums = Projected.empty(mean, count, basis, weight, bias, reader.rows())
    agreed, margins = None, []
    for _, block, labels in reader.blocks(_SPAN_ROWS, "scatter"):
        batch, outputs = sums.add(block, labels)
        agreed = batch if agreed is None else agreed + batch
        if outputs is not None:
            margins.append(raw_margins(outputs, labels))
    if agreed is None:
        return None
    moments = sums.finished(agreed.count.double(), complete=span.complete)
    # All shares are scattered about the same means, so merging them must not move these.
    return on_cpu(_Found(moments, agreed, (torch.cat(margins),) if margins else ()))


def _whole(
    reader: Share, reference: ClassMoments | None, ranks: Ranks
) -> _Found | None:
    found = merged(lambda: _scattered(reader), ranks)
    if found is None or found.broken:
        return found
    known = reference or found.moments
    decided = merged(lambda: _decided(reader, known), ranks)
    if decided is None:
        return found
    return replace(found, agreement=decided.agreement, margins=decided.margins)


def _scattered(reader: Share) -> _Found | None:
    if reader.start == reader.stop:
        return None
    features = reader.features
    sums = PivotedSums.empty(features.classes, features.width, reader.device)
    for _, block, labels in reader.blocks(reader.rows(_ROWS), "scatter"):
        sums.add(block, labels)
    broken = () if sums.sums.isfinite().all() else _broken(reader)
    return _Found(on_cpu(sums.finished()), None, (), broken)


def _unsummed(reader: Share, totals: ClassTotals) -> _Found:
    """Return what is left where class sums are not finite: names of broken samples."""
    mean = totals.mean.to(reader.device)
    mine = ClassMoments(
        count=mean.new_zeros(len(mean)),
        mean=mean,
        spread=mean.new_full((len(mean),), float("nan")),
        within=mean.new_zeros(0, 0),
        basis=mean[:0].mT,
    )
    return on_cpu(_Found(mine, None, (), _broken(reader)))


def _broken(reader: Share) -> tuple[int, ...]:
    found: list[int] = []
    for first, block, _ in reader.blocks(reader.rows(), "looking for NaN"):
        rows = (~block.isfinite()).any(1).nonzero().flatten() + first
        found += [int(row) for row in rows[: 10 - len(found)]]
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Decided:
    """Decisions on a share of the features."""

    agreement: Agreement
    margins: tuple[torch.Tensor, ...]

    def __add__(self, other: _Decided) -> _Decided:
        return _Decided(self.agreement + other.agreement, self.margins + other.margins)


def _decided(reader: Share, moments: ClassMoments) -> _Decided | None:
    import torch

    device = reader.device
    centers = Centers.of(moments.mean.to(device), moments.count.to(device))
    weight, bias = reader.features.weight, reader.features.bias
    agreed, margins = None, []
    for _, block, labels in reader.blocks(reader.rows(_ROWS), "decisions"):
        outputs = plain = None
        if weight is not None:
            plain = block.double() @ weight.to(device).mT
            outputs = plain if bias is None else plain + bias.to(device)
            margins.append(raw_margins(outputs, labels))
        batch = agreement(
            centers,
            block,
            labels,
            None if outputs is None else decision(outputs),
            None if plain is None else decision(plain),
        )
        agreed = batch if agreed is None else agreed + batch
    if agreed is None:
        return None
    joined = (torch.cat(margins),) if margins else ()
    return on_cpu(_Decided(agreed, joined))


def _joined(margins: tuple[torch.Tensor, ...]) -> NDArray[np.float64] | None:
    import torch

    return torch.cat(margins).numpy() if margins else None
