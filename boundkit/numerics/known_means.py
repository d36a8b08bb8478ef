"""A second reading of features, when the class means are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.nearest import Centers, decision, leading, tally
from boundkit.numerics.outer_products import add_outer, symmetric
from boundkit.numerics.products import keeps_digits

if TYPE_CHECKING:
    import torch

    from boundkit.numerics.class_moments import Agreement

__all__ = ["KnownMeans", "Precision"]

#: ``"double"`` for float64 products; ``"single"`` for float32 products of features less
#: their class mean, added up in float64.
Precision = Literal["double", "single"]

#: Numbers of features that are centered at a time: half a MiB of float64, and as much
#: beside them, for the second-level cache.
_HELD = 2**16
#: The same on other devices, which want more at once.
_FAR = 2**24
#: Samples whose projections are compared at once, and the number of directions from
#: which on so many are also multiplied at once: those of the basis leave the cache.
_TOGETHER = 1024
_NARROW = 64
#: Numbers of a row whose squares float32 adds up without losing more than it rounds.
_PIECE = 4096
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
        pivot: (C, p) what features are taken less: the means, or the float32 numbers
            next to them, from which float32 features of the class differ exactly.
        drift: () largest distance between the two.
        basis: (p, r) orthonormal columns, which span what is known of the scatter; None
            for the whole space.
        centers: The means, in that basis, for comparing distances; float64.
        shift: (C, r) pivots less the mean of the means, in that basis.
        within: (r, r) scatter about the pivots; its lower triangle only; float64.
        spread: (C,) sum of ``||h - pivot_c||^2``; float64.
        head: (r, C') and (C',): features less the mean of the means, in the basis ->
            outputs; None without a classifier. The second is float64.
        layer: (C', p) and (C',) of the classifier itself, float64, or None.
        own: Room for pivots, one for each of the features that the cache holds.
        off: Room for features less their pivots.
    """

    mean: torch.Tensor
    pivot: torch.Tensor
    drift: torch.Tensor
    basis: torch.Tensor | None
    centers: Centers
    shift: torch.Tensor
    within: torch.Tensor
    spread: torch.Tensor
    head: tuple[torch.Tensor, torch.Tensor] | None
    layer: tuple[torch.Tensor, torch.Tensor | None] | None
    own: torch.Tensor
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
                ``weight`` lie (see `directions`), or None for the whole space.
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
        across = Centers.of(mean, count)
        centers, shift = across, pivot.double() - across.origin
        if basis is not None:
            centers = Centers.of((mean - across.origin) @ basis, count)
            # The mean of the means is where the basis begins.
            shift = shift @ basis - centers.origin
        head = None
        if weight is not None:
            there = across.origin
            if basis is not None:
                there = there + basis @ centers.origin
            constant = weight @ there
            rows = weight if basis is None else weight @ basis
            head = (rows.mT.to(work), constant if bias is None else constant + bias)
        held, room = _rooms(mean, basis)
        return cls(
            mean=mean,
            pivot=pivot,
            drift=torch.linalg.vector_norm(pivot.double() - mean, dim=1).amax(),
            basis=None if basis is None else basis.to(work),
            centers=centers,
            shift=shift.to(work),
            within=mean.new_zeros(shift.shape[1], shift.shape[1]),
            spread=mean.new_zeros(len(mean)),
            head=head,
            layer=None if weight is None else (weight, bias),
            own=pivot.new_empty(held, mean.shape[1]),
            off=mean.new_empty(room, mean.shape[1], dtype=work),
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
        size = max(_TOGETHER, len(self.off))
        for low in range(0, len(features), size):
            part = slice(low, low + size)
            seen, out = self._add(
                features[part],
                labels[part],
                None if decided is None else decided[part],
                None if unbiased is None else unbiased[part],
            )
            found = seen if found is None else found + seen
            if out is not None:
                outputs.append(out)
        assert found is not None  # noqa: S101 - there are samples
        return found, torch.cat(outputs) if outputs else None

    def _add(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        decided: torch.Tensor | None,
        unbiased: torch.Tensor | None,
    ) -> tuple[Agreement, torch.Tensor | None]:
        import torch

        sizes, inside = self._centered(features, labels)
        self.spread.index_add_(0, labels, sizes.square())
        add_outer(self.within, inside)
        lengths = sizes if self.basis is None else _lengths(inside)
        # In the same room: what is left to do are differences of places.
        placed = inside.add_(self.shift.index_select(0, labels))
        far = _lengths(placed)
        if self.basis is not None:
            # Lengths in the whole space, of which the basis sees a part.
            beyond = (sizes.square() - lengths.square()).clamp(min=0)
            far = (far.square() + beyond).sqrt()
        errors = self._errors(sizes)
        outputs = None
        if self.head is not None:
            outputs, decided, unbiased = self._outputs(placed, features, errors)
        near = self._nearest(placed, features, labels, lengths, errors)
        classes = len(self.spread)
        return tally(labels, classes, near, (sizes, far), decided, unbiased), outputs

    def _centered(
        self, features: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ``||h - pivot_c||`` (b,), and ``h - pivot_c`` in the basis (b, r)."""
        import torch

        n, rows, room = len(features), len(self.own), len(self.off)
        sizes = self.spread.new_empty(n)
        if self.basis is not None:
            inside = self.basis.new_empty(n, self.basis.shape[1])
        # Room that is used again, a part that the cache holds at a time: fresh memory
        # and slow memory cost more than the arithmetic.
        for start in range(0, n, room):
            stop = min(start + room, n)
            for low in range(start, stop, rows):
                size = min(rows, stop - low)
                off = self.off.narrow(0, low - start, size)
                own = self.own.narrow(0, 0, size)
                torch.index_select(self.pivot, 0, labels.narrow(0, low, size), out=own)
                _subtract(features.narrow(0, low, size), own, off)
                sizes.narrow(0, low, size).copy_(_lengths(off))
            off = self.off.narrow(0, 0, stop - start)
            if self.basis is not None:
                torch.mm(off, self.basis, out=inside.narrow(0, start, stop - start))
        return sizes, off if self.basis is None else inside

    def _errors(self, sizes: torch.Tensor) -> torch.Tensor:
        """Bound how far from its place rounding puts a sample (Higham 2002, eq. 3.5)."""
        import torch

        unit = torch.finfo(self.off.dtype).eps
        width = self.off.shape[1] if self.basis is not None else 0
        return unit * (width + _SPARE) * sizes + self.drift

    def _outputs(
        self, placed: torch.Tensor, features: torch.Tensor, errors: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return outputs (b, C'), and decisions with and without the bias (b,)."""
        import torch

        assert self.head is not None  # noqa: S101 - asked before
        assert self.layer is not None  # noqa: S101 - as above
        rows, constant = self.head
        bias = self.layer[1]
        products = placed.new_empty(len(placed), rows.shape[1])
        # Writing into room of its own, it is not subject to autocast.
        outputs = torch.mm(placed, rows, out=products).double().add_(constant)
        plain = outputs if bias is None else outputs - bias
        choices = [decision(plain)]
        if bias is not None:
            choices.insert(0, decision(outputs))
        if placed.dtype == torch.float32:
            self._reconsider(choices, (outputs, plain), placed, features, errors)
        return outputs, choices[0], choices[-1]

    def _reconsider(
        self,
        choices: list[torch.Tensor],
        outputs: tuple[torch.Tensor, torch.Tensor],
        placed: torch.Tensor,
        features: torch.Tensor,
        errors: torch.Tensor,
    ) -> None:
        """Decide in float64 what rounding could decide otherwise, in place."""
        import torch

        assert self.layer is not None  # noqa: S101 - asked before
        weight, bias = self.layer
        largest = torch.linalg.vector_norm(weight, dim=1).amax()
        unit = torch.finfo(placed.dtype).eps * (placed.shape[1] + _SPARE)
        wrong = (errors + unit * _lengths(placed)) * largest
        for chosen, values in zip(choices, outputs, strict=False):
            if values.shape[1] == 1:
                gap = 2 * values.squeeze(1).abs()
            else:
                best, _, second = leading(values.clone())
                gap = best - second
            rest = (~(gap > 2 * wrong)).nonzero().squeeze(1)
            if not len(rest):
                continue
            right = features.index_select(0, rest).double() @ weight.mT
            if bias is not None and chosen is not choices[-1]:
                right += bias
            chosen[rest] = decision(right)

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

        if placed.device.type != "cpu" and placed.dtype == torch.float64:
            # To ask which samples are clear would be to wait for the device.
            return self.centers.decided(placed)
        found = labels.clone()
        tied = torch.zeros_like(labels, dtype=torch.bool)
        rest = ~self.centers.clearly_own(labels, lengths, errors)
        rest = rest.nonzero().squeeze(1)
        if not len(rest):
            return found, tied
        quick = None
        if placed.device.type == "cpu":
            some, doubt = placed.index_select(0, rest), errors.index_select(0, rest)
            quick = self.centers.screened(some, doubt)
        if quick is not None:
            found[rest] = quick[0]
            rest = rest[~quick[1]]
        if len(rest):
            exact = self._exactly(placed, features, labels, rest)
            found[rest], tied[rest] = self.centers.decided(exact)
        return found, tied

    def _exactly(
        self,
        placed: torch.Tensor,
        features: torch.Tensor,
        labels: torch.Tensor,
        rows: torch.Tensor,
    ) -> torch.Tensor:
        import torch

        if placed.dtype == torch.float64:
            return placed.index_select(0, rows)
        owner = labels.index_select(0, rows)
        off = features.index_select(0, rows).double() - self.mean.index_select(0, owner)
        raise NotImplementedError
