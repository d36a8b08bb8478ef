"""Class moments of features that are in memory as one array."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from boundkit.errors import DataError
from boundkit.numerics.class_totals import ClassTotals
from boundkit.numerics.known_means import KnownMeans
from boundkit.numerics.second_reading import in_range, second_reading
from boundkit.numerics.span import WIDE, span_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from boundkit.numerics.class_moments import Agreement, ClassMoments
    from boundkit.numerics.known_means import Precision

__all__ = ["Scatter", "array_moments"]

#: ``"whole"`` for the scatter within classes in all directions; ``"span"`` for that among
#: class means and classifier rows; ``"auto"`` for the span where features are wide.
Scatter = Literal["auto", "whole", "span"]


def array_moments(
    features: torch.Tensor,
    labels: torch.Tensor,
    classes: int,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    *,
    batch_size: int,
    scatter: Scatter = "auto",
    precision: Precision = "double",
) -> tuple[ClassMoments, Agreement]:
    """Return the moments of features, and how they are decided.

    Args:
        features: (n, p) of any floating dtype, n at least 1.
        labels: (n,) int64, 0..C-1, on the same device.
        classes: C.
        weight: (C', p) float64 rows of the last layer, or None.
        bias: (C',) float64 of the last layer, or None.
        batch_size: Samples at a time.
        scatter: In which directions it is wanted.
        precision: Of the products.

    Returns:
        The moments, and how often the nearest class mean, labels and the layer agree.

    Raises:
        DataError: A feature is NaN or Inf, or they are too large to be added up.
    """
    totals = ClassTotals.empty(classes, features.shape[1], features.device)
    for batch, own in _batches(features, labels, batch_size):
        totals.add(batch, own)
    # A sum is finite only if everything in it is: no reading for that alone.
    if not totals.sums.isfinite().all():
        _refuse(features, batch_size)
    span = None
    if scatter == "span" or (scatter == "auto" and features.shape[1] > WIDE):
        span = span_of(totals, weight, features.double)
    found = second_reading(
        partial(
            KnownMeans.empty,
            totals.mean,
            totals.count,
            None if span is None else span.basis,
            weight,
            bias,
            precision=precision,
        ),
        lambda: _batches(features, labels, batch_size),
    )
    assert found is not None  # noqa: S101 - there are samples
    complete = span is not None and span.complete
    moments = found.sums.finished(totals.count, complete=complete)
    if precision == "single" and not in_range(moments):
        return array_moments(
            features,
            labels,
            classes,
            weight,
            bias,
            batch_size=batch_size,
            scatter=scatter,
        )
    return moments, found.agreed


def _batches(
    features: torch.Tensor, labels: torch.Tensor, size: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for first in range(0, len(features), size):
        yield features[first : first + size], labels[first : first + size]


def _refuse(features: torch.Tensor, size: int) -> None:
    for first in range(0, len(features), size):
        finite = features[first : first + size].isfinite()
        if not finite.all():
            row = first + int((~finite.all(1)).nonzero()[0])
            raise DataError(
                f"features[{row}] holds NaN or Inf; remove or repair that sample"
            )
    raise DataError("features are too large to be added up in float64; scale them down")
