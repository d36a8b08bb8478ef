"""Class moments of features that are stored, and how they and a last layer decide."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from boundkit.errors import DataError
from boundkit.measure.feature_share import Rows, Share
from boundkit.measure.forward import resolved
from boundkit.measure.head import Head
from boundkit.measure.ranks import ALONE, local_device, merged, on_cpu, share
from boundkit.measure.sample_sums import raw_margins
from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.class_totals import ClassTotals
from boundkit.numerics.known_means import KnownMeans
from boundkit.numerics.second_reading import in_range, second_reading
from boundkit.numerics.span import WIDE, Span, span_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from boundkit.data.features import Features
    from boundkit.measure.ranks import Ranks
    from boundkit.numerics.class_moments import Agreement
    from boundkit.numerics.known_means import Precision

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["FeatureStatistics", "feature_statistics"]

#: Numbers of features that are read at a time: products of fewer rows are slower.
_READ = 2**23


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
    precision: Precision = "double",
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
        precision: ``"single"`` for float32 products of features less their class means,
            added up in float64: a relative error of about 1e-6, the same decisions.
        device: Where to compute: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
        progress: Called with samples done, samples in all, and a label.
        ranks: This process among others that each read a share.

    Raises:
        DataError: The file is damaged, or its numbers are too large to be added up.
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
    found = _read_twice(reader, ranks, narrow=narrow, precision=precision)
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


def _read_twice(
    reader: Share, ranks: Ranks, *, narrow: bool, precision: Precision
) -> _Found | None:
    """Return everything about the class means; None where there are no samples.

    Args:
        reader: This process's share.
        ranks: This process among others.
        narrow: Whether to look for directions that hold what is wanted.
        precision: Of the products.

    Raises:
        DataError: Sums overflow, though every feature is finite.
    """
    totals = merged(lambda: _totals(reader), ranks)
    if totals is None:
        return None
    if not totals.sums.isfinite().all():
        found = merged(lambda: _unsummed(reader, totals), ranks)
        if found is not None and not found.broken:
            raise DataError(
                f"{reader.features.name}: h is too large to be added up in float64;"
                " scale it down"
            )
        return found
    span = None
    if narrow:
        weight = reader.features.weight
        span = span_of(totals, weight, lambda: _gathered(reader, ranks))
    found = merged(lambda: _compared(reader, totals, span, precision), ranks)
    if precision == "single" and found is not None and not in_range(found.moments):
        return _read_twice(reader, ranks, narrow=narrow, precision="double")
    return found


def _totals(reader: Share) -> ClassTotals:
    features = reader.features
    totals = ClassTotals.empty(features.classes, features.width, reader.device)
    for _, block, labels in reader.blocks(_read(reader), "class means"):
        totals.add(block, labels)
    return on_cpu(totals)


def _read(reader: Share) -> int:
    return max(1, _READ // reader.features.width)


def _gathered(reader: Share, ranks: Ranks) -> torch.Tensor | None:
    def mine() -> Rows:
        blocks = reader.blocks(_read(reader), "all features")
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


def _compared(
    reader: Share, totals: ClassTotals, span: Span | None, precision: Precision
) -> _Found | None:
    known = reader.features
    weight, bias, basis = (
        None if one is None else one.to(reader.device)
        for one in (known.weight, known.bias, None if span is None else span.basis)
    )
    mean, count = totals.mean.to(reader.device), totals.count.to(reader.device)

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for _, block, labels in reader.blocks(_read(reader), "scatter"):
            yield block, labels

    found = second_reading(
        partial(
            KnownMeans.empty, mean, count, basis, weight, bias, precision=precision
        ),
        batches,
        raw_margins,
    )
    if found is None:
        return None
    complete = span is not None and span.complete
    moments = found.sums.finished(found.agreed.count.double(), complete=complete)
    # All shares are scattered about the same means, so merging them must not move these.
    return on_cpu(_Found(moments, found.agreed, _together(found.margins)))


def _together(margins: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    import torch

    return (torch.cat(margins),) if margins else ()


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


def _joined(margins: tuple[torch.Tensor, ...]) -> NDArray[np.float64] | None:
    import torch

    return torch.cat(margins).numpy() if margins else None
