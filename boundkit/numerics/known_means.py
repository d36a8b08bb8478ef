"""A second reading of features, when the class means are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundkit.numerics.centering import Centering, add_rows, row_lengths
from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.class_sums import class_sums
from boundkit.numerics.decided_layer import Layer
from boundkit.numerics.nearest import Centers, center_of, tally
from boundkit.numerics.outer_products import add_outer, symmetric
from boundkit.numerics.products import keeps_digits
from boundkit.numerics.projection import Places, Projection, projection_of

if TYPE_CHECKING:
    import torch

    from boundkit.numerics.class_moments import Agreement

__all__ = ["KnownMeans", "Precision"]

#: ``"double"`` for float64 products; ``"single"`` for float32 products of features less
#: their class mean, added up in float64.
Precision = Literal["double", "single"]

#: Samples whose places are compared at once where directions are few; how many that is.
_COMPARED = 8192
_NARROW = 64
#: Samples that are multiplied and compared at once otherwise, if these are not too many
#: numbers: then the basis is read from slow memory each time.
_TOGETHER = 4096
_ROOM = 2**24
#: Room for what bounds of rounding leave out, in operations.
_SPARE = 16
#: Share of the least scatter that is left out where float32 sums are corrected.
_NEGLIGIBLE = 1e-9


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
        projection: What takes places from products of the features themselves, where
            that is quicker and its result is going to be judged; else None.
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
    projection: Projection | None

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
        quick: bool = False,
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
            quick: Whether to take products before differences where directions are
                few; what comes of it counts only if it is `accurate`.
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
            projection=projection_of(basis, origin, work, dtype)
            if quick and basis is not None and basis.shape[1] <= _NARROW
            else None,
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
        size = max(_COMPARED, rows) if alike else len(self.off)
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
        if self.projection is None:
            places = self._centered(features, labels)
        else:
            shift = self.shift.index_select(0, labels).double()
            inside, places = self.projection.apply(features, shift)
            add_outer(self.within, inside)
        placed = places.placed.to(self.off.dtype)
        self.spread.add_(class_sums(places.sizes**2, labels, len(self.spread)))
        errors = self._errors(places.reach)
        outputs = None
        if self.layer is not None:
            outputs, decided, unbiased = self.layer.decided(placed, features, errors)
            chosen = decided, unbiased
        near = self._nearest(placed, features, labels, (places.lengths, errors))
        far = places.sizes, places.far
        return tally(labels, len(self.spread), near, far, *chosen), outputs

    def _centered(self, features: torch.Tensor, labels: torch.Tensor) -> Places:
        """Add the scatter of features less their pivots, and place them."""
        sizes, inside = self.centering.inside(features, labels, self.off, self.across)
        add_outer(self.within, inside)
        lengths = sizes if self.basis is None else row_lengths(inside)
        # In the same room: what is left to do are differences of places.
        placed = add_rows(inside, self.shift, labels)
        far = row_lengths(placed)
        if self.basis is not None:
            # Lengths in the whole space, of which the basis sees a part.
            beyond = (sizes.square() - lengths.square()).clamp(min=0)
            far = (far.square() + beyond).sqrt()
        return Places(placed, sizes, lengths, far, reach=sizes)

    def _errors(self, reach: torch.Tensor) -> torch.Tensor:
        """Bound how far from its place rounding puts a sample (Higham 2002, eq. 3.5)."""
        import torch

        unit = torch.finfo(self.off.dtype).eps / 2
        steps = _SPARE
        if self.basis is not None:
            width, directions = self.basis.shape
            steps += (width + _SPARE) * directions**0.5
        return unit * (steps * reach + _SPARE * self.centers.size.sqrt()) + self.drift

    def _nearest(
        self,
        placed: torch.Tensor,
        features: torch.Tensor,
        labels: torch.Tensor,
        known: tuple[torch.Tensor, torch.Tensor],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the nearest means (b,) and whether others are as near (b,)."""
        import torch

        lengths, errors = known
        double = placed.dtype == torch.float64
        if double and placed.device.type != "cpu":
            # To ask which samples are clear would be to wait for the device.
            return self.centers.decided(placed)
        tied = torch.zeros_like(labels, dtype=torch.bool)
        rest = (~self.centers.clearly_own(labels, lengths, errors)).nonzero().squeeze(1)
        if not len(rest):
            return labels, tied
        found = labels.clone()
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

    def accurate(self, *, done: bool = True) -> bool:
        """Say whether what was added is as right as its precision promises.

        Args:
            done: Whether all of it was added; until then only distances are judged.
        """
        if self.projection is None:
            return True
        return self.projection.accurate(symmetric(self.within) if done else None)

    def finished(self, count: torch.Tensor, *, complete: bool = False) -> ClassMoments:
        """Return the moments, scatter in the basis.

        Args:
            count: (C,) samples per class; moments of shares are right in their sum.
            complete: Whether all features lie in the span.
        """
        spread, within = self.spread, self.within
        pivot = self.centering.pivot
        if pivot.dtype != self.mean.dtype:
            # Sums about pivots, less what these are off: Chan, Golub, LeVeque (1979).
            drift = self.mean - pivot.double()
            off = count * drift.square().sum(1)
            spread = (spread - off).clamp(min=0)
            if not off.sum() < _NEGLIGIBLE * within.diagonal().amin():
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


def _inside(rows: torch.Tensor, basis: torch.Tensor | None) -> torch.Tensor:
    return rows if basis is None else rows @ basis
