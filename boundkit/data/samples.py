"""Labeled samples that can be read in batches, again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boundkit.data.checks import checked_inputs, checked_labels, checked_lengths
from boundkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import torch

    #: Batch size -> unchecked batches ``(x, y)``, from the first sample on.
    Source = Callable[[int], Iterable[tuple[Any, Any]]]

__all__ = ["Samples", "from_rows"]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Labeled samples, wherever they come from.

    Attributes:
        name: Where they come from, for provenance and messages.
        n: How many there are; None for a stream of unknown length.
        shape: Of one sample.
        source: Batch size -> unchecked batches ``(x, y)``, from the first sample on;
            loaders with batches of their own may ignore the size.
        first: Index of the first sample in the whole of which these are a part.
        window: First index and the one after the last -> source of these samples
            alone; None where the others must be read, too.
        may_be_empty: Whether a stream may hold nothing, being a part of one.
        fixed_order: Whether every reading, in every process, has the same order.
        preprocessing: What is done to each sample on the way, in words.
        unit: Whether each sample is divided by its norm first, by declaration.
        center: What is subtracted after that, by declaration; None for nothing.
    """

    name: str
    n: int | None
    shape: tuple[int, ...]
    source: Source
    preprocessing: tuple[str, ...] = ()
    unit: bool = False
    center: torch.Tensor | None = None
    first: int = 0
    window: Callable[[int, int], Source] | None = None
    may_be_empty: bool = False
    fixed_order: bool = True

    def batches(self, batch_size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield checked batches, each sample once.

        Args:
            batch_size: The most samples in a batch.

        Yields:
            x (b, *shape) float32 or float64 and y (b,) int64, both on the CPU.

        Raises:
            DataError: A batch is not usable, or samples are missing.
        """
        done = 0
        for inputs, labels in self.source(batch_size):
            x = checked_inputs(inputs, self.shape, self.name, self.first + done)
            y = checked_labels(labels, self.name, self.first + done)
            checked_lengths(len(x), len(y), self.name)
            done += len(x)
            yield x, y
        least = 0 if self.may_be_empty else 1
        if done != (max(done, least) if self.n is None else self.n):
            promised = "at least one was" if self.n is None else f"{self.n} were"
            raise DataError(
                f"{self.name}: ends after {done} samples, {promised} promised;"
                " check that it was written completely"
            )


def from_rows(
    name: str,
    shape: tuple[int, ...],
    rows: Callable[[int], Iterable[Any]],
    labels: Any,
    preprocessing: tuple[str, ...] = (),
) -> Samples:
    """Join inputs that are read in blocks with labels that are in memory.

    Args:
        name: Of the data set.
        shape: Of all inputs together, (n, *sample).
        rows: Batch size -> consecutive blocks of that many inputs.
        labels: (n,) array.
        preprocessing: What ``rows`` does to each sample, in words.

    Returns:
        The samples; labels are checked already.

    Raises:
        DataError: No samples, one number per sample, or labels that do not fit.
    """
    if len(shape) < 2:
        raise DataError(
            f"{name}: x has shape {shape}; give (n, ...) with at least one axis per"
            " sample"
        )
    y = checked_labels(labels, name, 0)
    checked_lengths(shape[0], len(y), name)

    def source(batch_size: int) -> Iterator[tuple[Any, Any]]:
        done = 0
        for block in rows(batch_size):
            yield block, y[done : done + len(block)]
            done += len(block)

    return Samples(name, shape[0], shape[1:], source, preprocessing)
