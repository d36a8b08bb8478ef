"""Features in the few directions that tell the classes apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from boundkit.numerics.class_moments import Agreement, ClassMoments
from boundkit.numerics.nearest import Centers, agreement, decision
from boundkit.numerics.outer_products import add_outer, symmetric

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from boundkit.numerics.class_totals import ClassTotals

__all__ = ["WIDE", "Projected", "Span", "directions", "span_of"]

#: Features wider than this are scattered in a span only: beyond it, ``p^2`` numbers and
#: the ``p^3`` operations on them take minutes.
WIDE = 2048
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
        None where half of all directions or more would be needed without holding all.
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
        (p, r), or None where half of all directions or more would be needed, so that
        nothing is gained.
    """
    there = mean[count > 0]
    # Differences from the mean of means add up to 0: one of them is not needed.
    parts = [(there - there.mean(0))[:-1]]
    if weight is not None:
        parts.append(weight.to(there))
    if 2 * sum(map(len, parts)) >= mean.shape[1]:
        return None
    return _orthonormal(parts)


#: Samples that are multiplied at once, and directions from which on that pays: the
#: basis is read from slow memory each time.
_PRODUCTS = 1024
_NARROW = 64


@dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """A second pass over features whose class means are known; float64, in place.

    Attributes:
        mean: (C, p) class means.
        basis: (p, r).
        offsets: (C, r) means less their mean, in the basis.
        centers: The same, for comparing distances.
        within: (r, r) scatter about the means; its lower triangle only.
        spread: (C,) sum of ``||h - mean_c||^2``.
        scores: (r, C') and (C',): features less the mean of means in the basis ->
            outputs; None without a classifier.
        bias: (C',) of the classifier, or None.
        wide: Room for features, (b, p).
        own: Room for class means, one for each of the features that the cache holds.
    """

    mean: torch.Tensor
    basis: torch.Tensor
    offsets: torch.Tensor
    centers: Centers
    within: torch.Tensor
    spread: torch.Tensor
    scores: tuple[torch.Tensor, torch.Tensor] | None
    bias: torch.Tensor | None
    wide: torch.Tensor
    own: torch.Tensor

    @classmethod
    def empty(
        cls,
        mean: torch.Tensor,
        count: torch.Tensor,
        basis: torch.Tensor,
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        rows: int,
    ) -> Projected:
        """Return the sums of no samples.

        Args:
            mean: (C, p) class means.
            count: (C,) samples per class.
            basis: (p, r), see `directions`; the rows of ``weight`` lie in its span.
            weight: (C', p) of the classifier, or None.
            bias: (C',) or None.
            rows: Samples whose features the cache holds.
        """
        origin = Centers.of(mean, count).origin
        offsets = (mean - origin) @ basis
        scores = None
        if weight is not None:
            shift = weight @ origin
            scores = (basis.mT @ weight.mT, shift if bias is None else shift + bias)
        return cls(
            mean=mean,
            basis=basis,
            offsets=offsets,
            centers=Centers.of(offsets, count),
            within=mean.new_zeros(basis.shape[1], basis.shape[1]),
            spread=mean.new_zeros(len(mean)),
            scores=scores,
            bias=bias,
            wide=mean.new_empty(
                max(rows, _PRODUCTS) if basis.shape[1] > _NARROW else rows,
                mean.shape[1],
            ),
            own=mean.new_empty(rows, mean.shape[1]),
        )

    def add(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        decided: torch.Tensor | None = None,
        unbiased: torch.Tensor | None = None,
    ) -> tuple[Agreement, torch.Tensor | None]:
        """Add one block; return how its samples are decided, and their outputs.

        Args:
            features: (b, p) of any floating dtype.
            labels: (b,) int64, 0..C-1.
            decided: (b,) the net's decisions, where they are not the classifier's here.
            unbiased: (b,) the same without the bias.

        Returns:
            Agreement with the class means; (b, C') outputs, or None.
        """
        import torch

        sizes, inside = self._centered(features, labels)
        self.spread.index_add_(0, labels, sizes.square())
        add_outer(self.within, inside)
        offset = self.offsets.index_select(0, labels)
        placed = inside + offset
        outputs = plain = None
        if self.scores is not None:
            outputs = torch.addmm(self.scores[1], placed, self.scores[0])
            plain = outputs if self.bias is None else outputs - self.bias
        found = agreement(
            self.centers,
            placed,
            labels,
            decided if outputs is None else decision(outputs),
            unbiased if plain is None else decision(plain),
        )
        across = sizes.square() + ((2 * inside + offset) * offset).sum(1)
        zero = torch.zeros_like(self.spread)
        # Lengths in the whole space, of which the basis sees a part.
        return replace(
            found,
            to_mean=zero.index_add(0, labels, sizes),
            to_center=zero.index_add(0, labels, across.clamp(min=0).sqrt()),
        ), outputs

    def _centered(
        self, features: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ``||h - mean_c||`` (b,), and ``h - mean_c`` in the basis (b, r)."""
        import torch

        n, rows = len(features), len(self.own)
        sizes = self.spread.new_empty(n)
        inside = self.spread.new_empty(n, self.basis.shape[1])
        room = len(self.wide)
        # Room that is used again, a part that the cache holds at a time: fresh memory
        # and slow memory cost more than the arithmetic.
        for start in range(0, n, room):
            stop = min(start + room, n)
            for low in range(start, stop, rows):
                high = min(low + rows, stop)
                size = high - low
                wide = self.wide.narrow(0, low - start, size)
                own = self.own.narrow(0, 0, size)
                wide.copy_(features.narrow(0, low, size))
                torch.index_select(self.mean, 0, labels.narrow(0, low, size), out=own)
                out = sizes.narrow(0, low, size)
                torch.linalg.vector_norm(wide.sub_(own), dim=1, out=out)
            wide = self.wide.narrow(0, 0, stop - start)
            out = inside.narrow(0, start, stop - start)
            torch.mm(wide, self.basis, out=out)
        return sizes, inside

    def finished(self, count: torch.Tensor, *, complete: bool = False) -> ClassMoments:
        """Return the moments, scatter in the basis.

        Args:
            count: (C,) samples per class of what was added.
            complete: Whether all features lie in the span.
        """
        return ClassMoments(
            count=count,
            mean=self.mean,
            spread=self.spread,
            within=symmetric(self.within),
            basis=self.basis,
            complete=complete,
        )
