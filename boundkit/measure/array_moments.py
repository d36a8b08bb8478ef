"""Class moments of features that are in memory as one array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from boundkit.numerics.class_totals import ClassTotals
from boundkit.numerics.pivoted_sums import PivotedSums
from boundkit.numerics.span import WIDE, Projected, span_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from boundkit.numerics.class_moments import ClassMoments
    from boundkit.numerics.span import Span

__all__ = ["Scatter", "array_moments"]

#: ``"whole"`` for the scatter within classes in all directions; ``"span"`` for that among
#: class means and classifier rows; ``"auto"`` for the span where features are wide.
Scatter = Literal["auto", "whole", "span"]

#: Float64 numbers of features that are centered at a time: 1 MiB, for the cache.
_BLOCK = 2**17


def array_moments(
    features: torch.Tensor,
    labels: torch.Tensor,
    classes: int,
    weight: torch.Tensor | None,
    *,
    batch_size: int,
    scatter: Scatter = "auto",
) -> ClassMoments:
    """Return the moments of features, of all directions where these are few.

    Args:
        features: (n, p), finite, of any floating dtype.
        labels: (n,) int64, 0..C-1, on the same device.
        classes: C.
        weight: (C', p) rows of the last layer, or None.
        batch_size: Samples at a time.
        scatter: In which directions it is wanted.
    """
    width = features.shape[1]
    if scatter == "span" or (scatter == "auto" and width > WIDE):
        totals = ClassTotals.empty(classes, width, features.device)
        for batch, own in _batches(features, labels, batch_size):
            totals.add(batch, own)
        span = span_of(totals, weight, features.double)
        if span is not None:
            return _projected(features, labels, totals, span, batch_size)
    sums = PivotedSums.empty(classes, width, features.device)
    for batch, own in _batches(features, labels, batch_size):
        sums.add(batch, own)
    return sums.finished()


def _batches(
    features: torch.Tensor, labels: torch.Tensor, size: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for first in range(0, len(features), size):
        yield features[first : first + size], labels[first : first + size]


def _projected(
    features: torch.Tensor,
    labels: torch.Tensor,
    totals: ClassTotals,
    span: Span,
    batch_size: int,
) -> ClassMoments:
    rows = max(1, _BLOCK // features.shape[1])
    sums = Projected.empty(totals.mean, totals.count, span.basis, None, None, rows)
    for batch, own in _batches(features, labels, batch_size):
        sums.add(batch, own)
    return sums.finished(totals.count, complete=span.complete)
