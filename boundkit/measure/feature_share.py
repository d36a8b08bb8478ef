"""Stored features, as one of several processes reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch

    from boundkit.data.features import Features

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Rows", "Share"]

#: Float64 numbers in a block: 1 MiB, which stays in the second-level cache.
_BLOCK = 2**17


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """The features that one process reads, block by block, on a device.

    Attributes:
        features: All of them.
        start: Index of the first one that is read.
        stop: Index after the last one.
        device: Where the blocks are wanted.
        progress: Called with samples done, samples in all, and a label.
    """

    features: Features
    start: int
    stop: int
    device: str
    progress: Progress

    def blocks(
        self, count: int, label: str
    ) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        """Yield the features in order.

        Args:
            count: Samples at a time.
            label: For the progress.

        Yields:
            Index of the first sample, features (b, p), labels (b,).

        Raises:
            DataError: There are fewer than promised.
        """
        first = self.start
        for block in self.features.rows(self.start, self.stop, count):
            last = first + len(block)
            labels = self.features.labels[first:last]
            yield first, block.to(self.device), labels.to(self.device)
            if self.progress is not None:
                self.progress(last - self.start, self.stop - self.start, label)
            first = last
        if first != self.stop:
            name = self.features.name
            raise DataError(f"{name}: h ends after {first} rows; write it again")

    def rows(self, least: int = 1) -> int:
        """Return how many samples make a block that the cache holds.

        Args:
            least: The fewest.
        """
        return max(least, _BLOCK // self.features.width)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Features themselves, where they are few; those of disjoint samples add up.

    Attributes:
        parts: (b, p) each; empty for a process without samples.
    """

    parts: tuple[torch.Tensor, ...]

    def __add__(self, other: Rows) -> Rows:
        """Merge two disjoint samples."""
        return Rows(self.parts + other.parts)

    @property
    def joined(self) -> torch.Tensor | None:
        """(n, p) all of them in float64, or None where there are none."""
        import torch

        return torch.cat([one.double() for one in self.parts]) if self.parts else None
