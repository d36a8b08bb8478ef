"""Sums over samples of vectors that belong to layers; those of two samples merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import torch

    Rows = Mapping[str, torch.Tensor]

__all__ = ["Deviations", "Moments"]

#: Numbers that are centered at a time: new memory costs more than arithmetic.
_BLOCK = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Means and squared distances from them, float64.

    Attributes:
        count: Number of samples.
        mean: Layer -> (numel,).
        scatter: Layer -> () sum of ``||row - mean||^2``.
    """

    count: int
    mean: Mapping[str, torch.Tensor]
    scatter: Mapping[str, torch.Tensor]

    @classmethod
    def of(cls, rows: Rows) -> Moments:
        """Take the moments of some samples, on the device of their rows.

        Args:
            rows: Layer -> (c, numel) float64; c is the same for all.

        Returns:
            Theirs.
        """
        import torch

        mean = {name: part.mean(0) for name, part in rows.items()}
        scatter = {
            name: torch.cat([_squares(p) for p in _apart(part, mean[name])]).sum()
            for name, part in rows.items()
        }
        return cls(max((len(part) for part in rows.values()), default=0), mean, scatter)

    def __add__(self, other: Moments) -> Moments:
        """Merge two disjoint samples; Chan, Golub, LeVeque (1979), pairwise update."""
        count = self.count + other.count
        share = other.count / max(count, 1)
        mean, scatter = {}, {}
        for name, mine in self.mean.items():
            apart = other.mean[name] - mine
            mean[name] = mine + share * apart
            between = self.count * share * apart.square().sum()
            scatter[name] = self.scatter[name] + other.scatter[name] + between
        return Moments(count, mean, scatter)


@dataclass(frozen=True, slots=True, eq=False)
class Deviations:
    """How single samples differ from a mean that is known, float64, in pieces (c,).

    Attributes:
        squares: Layer -> ``||row - mean||^2`` of each sample.
        along: Layer -> ``<row - mean, mean>`` of each sample.
        across: Layer -> ``<row - mean, weight>`` of each sample.
    """

    squares: Mapping[str, tuple[torch.Tensor, ...]]
    along: Mapping[str, tuple[torch.Tensor, ...]]
    across: Mapping[str, tuple[torch.Tensor, ...]]

    @classmethod
    def of(
        cls,
        rows: Rows,
        mean: Mapping[str, torch.Tensor],
        weights: Mapping[str, torch.Tensor],
    ) -> Deviations:
        """Compare some samples with the mean, on the device of their rows.

        Args:
            rows: Layer -> (c, numel) float64.
            mean: Layer -> (numel,).
            weights: Layer -> (numel,).

        Returns:
            Theirs.
        """
        import torch

        squares, along, across = {}, {}, {}
        for name, part in rows.items():
            sides = torch.stack([mean[name], weights[name]], dim=1)
            pieces = [(_squares(p), p @ sides) for p in _apart(part, mean[name])]
            both = torch.cat([products for _, products in pieces])
            squares[name] = (torch.cat([square for square, _ in pieces]),)
            first, second = both.unbind(1)
            along[name], across[name] = (first,), (second,)
        return cls(squares, along, across)

    def __add__(self, other: Deviations) -> Deviations:
        """Join two disjoint samples, the other one's after one's own."""
        return Deviations(
            _joined(self.squares, other.squares),
            _joined(self.along, other.along),
            _joined(self.across, other.across),
        )


def _apart(rows: torch.Tensor, mean: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield rows minus the mean in blocks; the memory is used again for the next."""
    import torch

    size = max(1, _BLOCK // max(rows.shape[1], 1))
    room = rows.new_empty(min(size, len(rows)), rows.shape[1])
    for block in torch.split(rows, size):
        yield torch.sub(block, mean, out=room.narrow(0, 0, len(block)))


def _squares(rows: torch.Tensor) -> torch.Tensor:
    """Return the squared norm of each row, without an array of squares between."""
    return (rows.unsqueeze(1) @ rows.unsqueeze(2)).flatten()


def _joined(
    first: Mapping[str, tuple[torch.Tensor, ...]],
    second: Mapping[str, tuple[torch.Tensor, ...]],
) -> dict[str, tuple[torch.Tensor, ...]]:
    return {name: own + second[name] for name, own in first.items()}
