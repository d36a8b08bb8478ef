"""A second reading of features, when the class means are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundkit.numerics.centering import Centering, row_lengths
from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.decided_layer import Layer
from boundkit.numerics.nearest import Centers, center_of, tally
from boundkit.numerics.outer_products import add_outer, symmetric
from boundkit.numerics.products import keeps_digits

if TYPE_CHECKING:
    import torch

    from boundkit.numerics.class_moments import Agreement

__all__ = ["KnownMeans", "Precision", "in_range"]

#: ``"double"`` for float64 products; ``"single"`` for float32 products of features less
#: their class mean, added up in float64.
Precision = Literal["double", "single"]

#: Samples whose places are compared at once, and the number of directions from which on
#: so many are also multiplied at once, if these are not too many numbers: then the
#: basis is read from slow memory each time.
_TOGETHER = 4096
_NARROW = 64
_ROOM = 2**24
#: Room for what bounds of rounding leave out, in operations.
_SPARE = 16
#: Mean squared distances from the mean whose float32 products neither overflow nor
#: vanish.
_LEAST, _MOST = 1e-20, 1e28


@dataclass(frozen=True, slots=True, eq=False)
class KnownMeans:
    """Scatter about the class means, and how samples are decided; added to in place.

    Attributes:
        mean: (C, p) class means, float64.
        centering: What features are taken less, pivots: the means, or the float32
            numbers next to them, from which float32 features near them differ exactly.
        drift: () largest distance between the two.
        basis: (p, r) orthonormal columns, which span what is known of the scatter; None
            for the whole space.
        across: The same in the precision of the products.
        centers: The means, in that basis, for comparing distances; float64.
        origin: (p,) mean of the means.
        shift: (C, r) pivots less the mean of the means, in that basis.
        within: (r, r) scatter about the pivots; its lower triangle only; float64.
        spread: (C,) sum of ``||h - pivot_c||^2``; float64.
        layer: The classifier, or None.
        off: Room for features less their pivots.
    """

    mean: torch.Tensor
    centering: Centering
    drift: torch.Tensor
    basis: torch.Tensor | None
    across: torch.Tensor | None
    centers: Centers
    origin: torch.Tensor
    shift: torch.Tensor
    within: torch.Tensor
    spread: torch.Tensor
    layer: Layer | None
    off: torch.Tensor

    @classmethod
    def empty(
        cls,
        mean: torch.Tensor,
        count: torch.Tensor,
        basis: torch.Tensor | None,
        weight: torch.Tensor | None = None,
        bias: torch.Tensor | None = None,
        *,
        precision: Precision = "double",
        dtype: torch.dtype | None = None,
    ) -> KnownMeans:
        """Return the sums of no samples.

        Args:
            mean: (C, p) class means.
            count: (C,) samples per class.
            basis: (p, r), in whose span the differences of means and the rows of
                ``weight`` lie (see `boundkit.numerics.span`), or None for the whole
                space.
            weight: (C', p) of the classifier, or None.
            bias: (C',) or None.
            precision: Of the products. What is meant to be float32 is float64 where
                torch has been told to take float32 products of fewer digits.
            dtype: Of the features; None if it is not known.
        """
        import torch

        single = precision == "single" and keeps_digits(mean.device)
        work = torch.float32 if single else torch.float64
        # Other features would lose digits in float32 before they are centered.
        pivot = mean.float() if single and dtype == torch.float32 else mean
        origin = center_of(mean, count)
        places = _inside(mean - origin, basis)
        shift = places
        if pivot.dtype != mean.dtype:
            shift = places + _inside(pivot.double() - mean, basis)
        centering = Centering.of(pivot, work)
        rows, width = centering.rows, mean.shape[1]
        if basis is None or basis.shape[1] > _NARROW:
            rows = max(rows, min(_TOGETHER, _ROOM // width))
        return cls(
            mean=mean,
            centering=centering,
            drift=torch.linalg.vector_norm(pivot.double() - mean, dim=1).amax(),
            basis=basis,
            across=None if basis is None else basis.to(work),
            centers=Centers.of(places, count),
            origin=origin,
            shift=shift.to(work),
            within=mean.new_zeros(shift.shape[1], shift.shape[1]),
            spread=mean.new_zeros(len(mean)),
            layer=None
            if weight is None
            else Layer.of(weight, bias, origin, basis, work),
            off=mean.new_empty(rows, width, dtype=work),
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
            features: (b, p) of any floating dtype, b at least 1.
            labels: (b,) int64, 0..C-1, on the same device.
            decided: (b,) the net's decisions, where they are not the classifier's here.
            unbiased: (b,) the same without the bias.

        Returns:
            Agreement with the class means; (b, C') float64 outputs, or None.
        """
        import torch

        found, outputs = None, []
        rows = self.centering.rows
        # Those that are multiplied one part at a time are compared many together.
        alike = len(self.off) == rows and self.basis is not None
        size = max(_TOGETHER, rows) if alike else len(self.off)
        for low in range(0, len(features), size):
            part = 0, low, min(size, len(features) - low)
            chosen = (
                None if decided is None else decided.narrow(*part),
                None if unbiased is None else unbiased.narrow(*part),
            )
            block, own = features.narrow(*part), labels.narrow(*part)
            seen, out = self._add(block, own, chosen)
            found = seen if found is None else found + seen
            if out is not None:
                outputs.append(out)
        assert found is not None  # noqa: S101 - there are samples
        return found, torch.cat(outputs) if outputs else None

    def _add(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        chosen: tuple[torch.Tensor | None, torch.Tensor | None],
    ) -> tuple[Agreement, torch.Tensor | None]:
        sizes, inside = self._centered(features, labels)
        self.spread.index_add_(0, labels, sizes.square())
        add_outer(self.within, inside)
        lengths = sizes if self.basis is None else row_lengths(inside)
        # In the same room: what is left to do are differences of places.
        placed = inside.add_(self.shift.index_select(0, labels))
        far = row_lengths(placed)
        if self.basis is not None:
            # Lengths in the whole space, of which the basis sees a part.
            beyond = (sizes.square() - lengths.square()).clamp(min=0)
            far = (far.square() + beyond).sqrt()
        errors = self._errors(sizes)
        outputs = None
        if self.layer is not None:
            outputs, decided, unbiased = self.layer.decided(placed, features, errors)
            chosen = decided, unbiased
        near = self._nearest(placed, features, labels, lengths, errors)
        return tally(labels, len(self.spread), near, (sizes, far), *chosen), outputs

    def _centered(
        self, features: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ``||h - pivot_c||`` (b,), and ``h - pivot_c`` in the basis (b, r)."""
        import torch

        n = len(features)
        if self.across is None:
            off = self.off.narrow(0, 0, n)
            return self.centering.apply(features, labels, off), off
        inside = self.off.new_empty(n, self.across.shape[1])
        if len(self.off) == self.centering.rows:
            near = self.across, inside
            return self.centering.apply(features, labels, self.off, *near), inside
        off = self.off.narrow(0, 0, n)
        sizes = self.centering.apply(features, labels, off)
        torch.mm(off, self.across, out=inside)
        return sizes, inside

    def _errors(self, sizes: torch.Tensor) -> torch.Tensor:
        """Bound how far from its place rounding puts a sample (Higham 2002, eq. 3.5)."""
        import torch

        unit = torch.finfo(self.off.dtype).eps / 2
        steps = _SPARE
        if self.basis is not None:
            width, directions = self.basis.shape
            steps += (width + _SPARE) * directions**0.5
        return unit * (steps * sizes + _SPARE * self.centers.size.sqrt()) + self.drift

    def _nearest(
        self,
        placed: torch.Tensor,
        features: torch.Tensor,
        labels: torch.Tensor,
        lengths: torch.Tensor,
        errors: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the nearest means (b,) and whether others are as near (b,)."""
        import torch

        double = placed.dtype == torch.float64
        if double and placed.device.type != "cpu":
            # To ask which samples are clear would be to wait for the device.
            return self.centers.decided(placed)
        found = labels.clone()
        tied = torch.zeros_like(labels, dtype=torch.bool)
        clear = self.centers.clearly_own(labels, lengths, errors)
        rest = (~clear).nonzero().squeeze(1)
        if not len(rest):
            return found, tied
        some = placed.index_select(0, rest)
        if double:
            found[rest], tied[rest] = self.centers.decided(some)
            return found, tied
        quick = self.centers.screened(some, errors.index_select(0, rest))
        if quick is not None:
            found[rest] = quick[0]
            rest = rest[~quick[1]]
        exact = features.index_select(0, rest).double() - self.origin
        found[rest], tied[rest] = self.centers.decided(_inside(exact, self.basis))
        return found, tied

    def finished(self, count: torch.Tensor, *, complete: bool = False) -> ClassMoments:
        """Return the moments, scatter in the basis.

        Those of shares of a sample whose means were known are right in their sum.

        Args:
            count: (C,) samples per class of what was added.
            complete: Whether all features lie in the span.
        """
        spread, within = self.spread, self.within
        pivot = self.centering.pivot
        if pivot.dtype != self.mean.dtype:
            # Sums about pivots, less what these are off: Chan, Golub, LeVeque (1979).
            drift = self.mean - pivot.double()
            spread = (spread - count * drift.square().sum(1)).clamp(min=0)
            rows = _inside(drift * count.sqrt().unsqueeze(1), self.basis)
            within = within.clone()
            add_outer(within, rows.to(self.off.dtype), sign=-1)
        return ClassMoments(
            count=count,
            mean=self.mean,
            spread=spread,
            within=symmetric(within),
            basis=self.basis,
            complete=complete,
        )


def in_range(moments: ClassMoments) -> bool:
    """Say whether float32 products of centered features can be trusted.

    Args:
        moments: What they gave. Squares that overflow or vanish leave mean squared
            distances that are too large or too small.
    """
    share = float(moments.spread.sum() / moments.count.sum().clamp(min=1))
    return _LEAST < share < _MOST


def _inside(rows: torch.Tensor, basis: torch.Tensor | None) -> torch.Tensor:
    return rows if basis is None else rows @ basis
