"""Which class mean is nearest, decided the same way whatever the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.numerics.class_moments import Agreement
from boundkit.numerics.class_sums import class_counts, class_sums
from boundkit.numerics.largest import leading
from boundkit.numerics.products import keeps_digits

if TYPE_CHECKING:
    import torch

__all__ = ["Centers", "agreement", "center_of", "tally"]

#: Differences of squared distances that are rounding, relative to their terms.
_ROUNDING = 1e-12
#: Rounding of one float32 operation, with room for what bounds leave out.
_SINGLE = 6.1e-8
#: Multiplications from which on scores in float32 come first.
_MANY = 2**22
#: Classes beyond which all distances between means are too many numbers.
_CLASSES = 4096
#: Squared sizes whose float32 products neither overflow nor vanish.
_LEAST, _MOST = 1e-20, 1e28


@dataclass(frozen=True, slots=True, eq=False)
class Centers:
    """Class means in the form in which distances to them are compared; float64.

    Attributes:
        origin: (p,) mean of the class means; distances are taken from there, so that a
            common offset costs no digits.
        means: (C, p) themselves.
        directions: (p, C) means minus origin; 0 for a class without samples.
        offsets: (C,) minus half their squared lengths; minus infinity for a class
            without samples, which is never the nearest.
        size: () largest squared length.
        apart: (C,) distance to the nearest other mean, or a little less; infinite
            where there is none, 0 where it is not known or the class has no samples.
    """

    origin: torch.Tensor
    means: torch.Tensor
    directions: torch.Tensor
    offsets: torch.Tensor
    size: torch.Tensor
    apart: torch.Tensor

    @classmethod
    def of(cls, mean: torch.Tensor, count: torch.Tensor) -> Centers:
        """Prepare the means of classes.

        Args:
            mean: (C, p) float64.
            count: (C,) samples per class.
        """
        import torch

        there = count > 0
        origin = center_of(mean, count)
        centered = (mean - origin).mul_(there.unsqueeze(1))
        squares = centered.square().sum(1)
        offsets = torch.where(there, -squares / 2, -torch.inf)
        size = squares.amax()
        apart = _apart(centered, squares, size, there)
        return cls(origin, mean, centered.mT, offsets, size, apart)

    def clearly_own(
        self, labels: torch.Tensor, lengths: torch.Tensor, errors: torch.Tensor
    ) -> torch.Tensor:
        """Say of which samples no other mean can be as near as their own class's.

        A sample that is nearer to its mean than half of the way to the next one need
        not be compared with any (Elkan 2003, Lemma 1).

        Args:
            labels: (b,) classes.
            lengths: (b,) distances to the means of those.
            errors: (b,) bounds of how wrong these distances are.

        Returns:
            (b,) bool; never where another mean is equally near within rounding.
        """
        way = self.apart.index_select(0, labels)
        reach = lengths + errors
        gap = way * (way / 2 - reach)
        # NaN compares as false: then the means are compared one by one.
        return gap > 2 * self._slack(reach + self.size.sqrt())

    def _slack(self, lengths: torch.Tensor) -> torch.Tensor:
        return _ROUNDING * (lengths * self.size.sqrt() + self.size)

    def screened(
        self, placed: torch.Tensor, errors: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return the nearest means by float32 products, and of which that is certain.

        Args:
            placed: (b, p) features less `origin`, on the CPU, of any floating dtype.
            errors: (b,) bounds of how far they are from their places.

        Returns:
            (b,) int64 classes and (b,) bool, or None where this saves nothing.
        """
        import torch

        size = float(self.size)
        if not _quick(placed, self.directions.shape[1], self.size):
            return None
        scores = placed.new_empty(
            len(placed), self.directions.shape[1], dtype=torch.float32
        )
        # Writing into room of its own, it is not subject to autocast.
        torch.addmm(
            self.offsets.float(), placed.float(), self.directions.float(), out=scores
        )
        best, found, second = leading(scores)
        lengths = torch.linalg.vector_norm(placed, dim=1).double() + errors
        # Each score is a sum of p + 1 float32 products of rounded numbers (Higham 2002,
        # eq. 3.5, and Cauchy-Schwarz), of places that are off by ``errors`` themselves.
        unit = _SINGLE * (len(self.directions) + 8)
        wrong = unit * (lengths * size**0.5 + size) + errors * size**0.5
        return found, best.double() - second.double() > 2 * wrong

    def nearest(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the class whose mean is nearest; the lowest of those equally near.

        Args:
            features: (b, p).

        Returns:
            (b,) int64 classes, and (b,) whether another mean is equally near within
            rounding.
        """
        return self.decided(features.double() - self.origin)

    def decided(self, placed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same of features whose place is known.

        Args:
            placed: (b, p) float64 features less `origin`.
        """
        import torch

        errors = placed.new_zeros(len(placed))
        quick = self.screened(placed, errors) if placed.device.type == "cpu" else None
        if quick is None:
            return self._compared(placed)
        found, sure = quick
        tied = torch.zeros_like(sure)
        rest = (~sure).nonzero().squeeze(1)
        if len(rest):
            found[rest], tied[rest] = self._compared(placed.index_select(0, rest))
        return found, tied

    def _compared(self, placed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        scores = torch.addmm(self.offsets, placed, self.directions)
        slack = self._slack(torch.linalg.vector_norm(placed, dim=1))
        best, found = scores.max(1)
        scores.scatter_(1, found.unsqueeze(1), -torch.inf)
        enough = best - slack
        tied = scores.amax(1) >= enough
        # Only here is it free to ask: elsewhere the answer would be waited for.
        if tied.device.type == "cpu" and not tied.any():
            return found, tied
        near = (scores >= enough.unsqueeze(1)).byte()
        near.scatter_(1, found.unsqueeze(1), 1)
        # Of equal values argmax takes the first.
        return near.argmax(1), tied


def center_of(mean: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Return (p,) the mean of the means of those classes that have samples.

    Args:
        mean: (C, p) float64.
        count: (C,) samples per class.
    """
    there = count > 0
    share = there.to(mean.dtype) / there.sum().clamp(min=1)
    return share @ mean


def _apart(
    centered: torch.Tensor,
    squares: torch.Tensor,
    size: torch.Tensor,
    there: torch.Tensor,
) -> torch.Tensor:
    import torch

    if len(centered) > _CLASSES:
        return torch.zeros_like(squares)
    rounding = _ROUNDING
    if _quick(centered, len(centered), size):
        # A little less than the distance will do; bounds as in `Centers.screened`.
        centered, squares = centered.float(), squares.float()
        rounding = 4 * _SINGLE * (centered.shape[1] + 8)
    # Into room of its own, it is not subject to autocast.
    products = centered.new_empty(len(centered), len(centered))
    torch.mm(centered, centered.mT, out=products)
    between = (squares.unsqueeze(1) + squares).sub_(products, alpha=2)
    between.diagonal().fill_(torch.inf)
    between = torch.where(there, between, torch.inf)
    # What rounding may have added.
    least = (between.amin(1).double() - rounding * size).clamp(min=0).sqrt()
    return torch.where(there, least, 0.0)


def _quick(rows: torch.Tensor, columns: int, size: torch.Tensor) -> bool:
    """Say whether float32 products of so many columns save time, and can be bounded."""
    if rows.device.type != "cpu" or rows.numel() * columns < _MANY:
        return False
    return _LEAST < float(size) < _MOST and keeps_digits("cpu")


def agreement(
    centers: Centers,
    features: torch.Tensor,
    labels: torch.Tensor,
    decided: torch.Tensor | None = None,
    unbiased: torch.Tensor | None = None,
) -> Agreement:
    """Hold the nearest class mean against labels and decisions of one batch.

    Args:
        centers: Of the training sample, also where the batch is held out.
        features: (b, p).
        labels: (b,) int64, 0..C-1.
        decided: (b,) the net's decisions, or None.
        unbiased: (b,) its decisions without the bias of the head, or None.
    """
    import torch

    wide = features.double()
    placed = wide - centers.origin
    nearest, tied = centers.decided(placed)
    to_center = torch.linalg.vector_norm(placed, dim=1)
    # The same room: fresh memory costs more than the arithmetic.
    torch.index_select(centers.means, 0, labels, out=placed)
    sizes = (torch.linalg.vector_norm(placed.sub_(wide), dim=1), to_center)
    return tally(
        labels, len(centers.offsets), (nearest, tied), sizes, decided, unbiased
    )


def tally(
    labels: torch.Tensor,
    classes: int,
    near: tuple[torch.Tensor, torch.Tensor],
    lengths: tuple[torch.Tensor, torch.Tensor],
    decided: torch.Tensor | None,
    unbiased: torch.Tensor | None,
) -> Agreement:
    """Count decisions and add up distances, class by class.

    Args:
        labels: (b,) int64, 0..C-1.
        classes: C.
        near: (b,) nearest means, and (b,) whether another one is equally near.
        lengths: (b,) float64 distances to the own mean, and (b,) to the mean of means.
        decided: (b,) the net's decisions, or None.
        unbiased: (b,) its decisions without the bias of the head, or None.
    """
    nearest, tied = near

    def counted(where: torch.Tensor) -> torch.Tensor:
        return class_counts(where, labels, classes)

    to_mean, to_center = (class_sums(one, labels, classes) for one in lengths)
    return Agreement(
        count=class_counts(None, labels, classes),
        nearest_errors=counted(nearest != labels),
        nearest_ties=counted(tied),
        net_errors=None if decided is None else counted(decided != labels),
        mismatches=None if decided is None else counted(decided != nearest),
        mismatches_unbiased=None if unbiased is None else counted(unbiased != nearest),
        to_mean=to_mean,
        to_center=to_center,
    )
