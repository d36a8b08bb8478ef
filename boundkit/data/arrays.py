"""Samples whose inputs can be sliced: arrays and tensors in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundkit.data.samples import Samples, from_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boundkit.data.samples import Source

__all__ = ["from_arrays"]


def from_arrays(inputs: Any, labels: Any, name: str) -> Samples:
    """Return samples of two arrays of equal length.

    Args:
        inputs: (n, ...) tensor, array, or anything else with a shape and slices.
        labels: (n,) class indices 0..C-1, or -1/+1.
        name: For provenance and messages.

    Returns:
        The samples; slices are taken when a batch is asked for.

    Raises:
        DataError: The arrays do not fit together.
    """
    shape = tuple(int(size) for size in inputs.shape)

    def rows(batch_size: int) -> Iterator[Any]:
        for first in range(0, shape[0], batch_size):
            yield inputs[first : first + batch_size]

    def window(start: int, stop: int) -> Source:
        def source(batch_size: int) -> Iterator[tuple[Any, Any]]:
            for first in range(start, stop, batch_size):
                last = min(first + batch_size, stop)
                yield inputs[first:last], labels[first:last]

        return source

    return replace(from_rows(name, shape, rows, labels), window=window)
