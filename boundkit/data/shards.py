"""Parts of samples: what one of several processes reads."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boundkit.data.samples import Samples, Source

__all__ = ["strided", "window"]


def window(samples: Samples, start: int, stop: int) -> Samples:
    """Return consecutive samples.

    Where the samples can be sliced, nothing before ``start`` is read; else it is read
    and passed over. Nothing from ``stop`` on is read.

    Args:
        samples: Of known number.
        start: Index of the first one.
        stop: Index after the last one.
    """
    sliced = samples.window
    source = _skipped(samples, start, stop) if sliced is None else sliced(start, stop)
    return replace(
        samples,
        n=stop - start,
        first=samples.first + start,
        source=source,
        window=None,
    )


def strided(samples: Samples, number: int, size: int) -> Samples:
    """Return every ``size``-th batch of a stream, from batch ``number`` on.

    Args:
        samples: Of unknown number.
        number: Index of the first batch.
        size: Step.
    """

    def source(batch_size: int) -> Iterator[tuple[Any, Any]]:
        return islice(iter(samples.source(batch_size)), number, None, size)

    name = f"{samples.name} (part {number} of {size})"
    return replace(samples, name=name, source=source, may_be_empty=True)


def _skipped(samples: Samples, start: int, stop: int) -> Source:
    def source(batch_size: int) -> Iterator[tuple[Any, Any]]:
        done = 0
        for inputs, labels in samples.source(batch_size) if start < stop else ():
            low, high = max(start - done, 0), min(stop - done, len(labels))
            done += len(labels)
            if low < high:
                yield inputs[low:high], labels[low:high]
            if done >= stop:
                return

    return source
