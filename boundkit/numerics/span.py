"""Features in the few directions that tell the classes apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from boundkit.numerics.class_totals import ClassTotals

__all__ = ["WIDE", "Span", "directions", "span_of"]

#: Features wider than this are scattered in a span only: beyond it, ``p^2`` numbers and
#: the ``p^3`` operations on them take minutes.
WIDE = 2048
#: Directions, as a share of the width, from which on all of the scatter costs less: with
#: ``n p (2 r) + n r^2`` operations against ``n p^2``, sqrt(2) - 1.
_MANY = 0.414
#: Multiplications, ``p r^2``, for which all directions that features have are found.
_WORK = 2**34


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Where the scatter is known.

    Attributes:
        basis: (p, r) orthonormal columns.
        complete: Whether all features, means and classifier rows lie in their span.
    """

    basis: torch.Tensor
    complete: bool


def span_of(
    totals: ClassTotals,
    weight: torch.Tensor | None,
    gathered: Callable[[], torch.Tensor | None],
) -> Span | None:
    """Return directions that hold all features where these are few, else `directions`.

    Args:
        totals: Of the whole sample, finite.
        weight: (C', p) classifier rows, or None.
        gathered: Returns all features, (n, p) in any order; called only where they are
            few.

    Returns:
        None where so many directions would be needed, without holding all, that nothing
        is gained.
    """
    n, width = int(totals.count.sum()), totals.sums.shape[1]
    needed = n + 1 + (0 if weight is None else len(weight))
    if needed < width and needed**2 * width <= _WORK:
        features = gathered()
        if features is not None:
            return Span(_holding(features, totals, weight), complete=True)
    basis = directions(totals.mean, totals.count, weight)
    return None if basis is None else Span(basis, complete=False)


def _holding(
    features: torch.Tensor, totals: ClassTotals, weight: torch.Tensor | None
) -> torch.Tensor:
    # Where the classes are is a direction of its own, however far that may be.
    origin = totals.mean[totals.count > 0].mean(0)
    parts = [features.to(origin) - origin, origin.unsqueeze(0)]
    return _orthonormal(parts if weight is None else [*parts, weight.to(origin)])


def _orthonormal(parts: list[torch.Tensor]) -> torch.Tensor:
    """Return (p, r) orthonormal columns whose span holds all rows."""
    import torch

    rows = torch.cat(parts)
    # Rows of any length count alike; where they depend on each other QR adds directions.
    sizes = torch.linalg.vector_norm(rows, dim=1).clamp(min=1e-300)
    basis: torch.Tensor = torch.linalg.qr((rows / sizes.unsqueeze(1)).mT).Q
    return basis


def directions(
    mean: torch.Tensor, count: torch.Tensor, weight: torch.Tensor | None
) -> torch.Tensor | None:
    """Return an orthonormal basis of differences of class means and classifier rows.

    Args:
        mean: (C, p) float64 class means.
        count: (C,) samples per class; those without do not count.
        weight: (C', p) classifier rows, or None.

    Returns:
        (p, r), or None where so many would be needed that nothing is gained.
    """
    there = mean[count > 0]
    # Differences from the mean of means add up to 0: one of them is not needed.
    parts = [(there - there.mean(0))[:-1]]
    if weight is not None:
        parts.append(weight.to(there))
    if sum(map(len, parts)) >= _MANY * mean.shape[1]:
        return None
    return _orthonormal(parts)
