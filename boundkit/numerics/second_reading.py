"""Features read again, when the class means are known: the quickest way that is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import torch

    from boundkit.numerics.class_moments import Agreement, ClassMoments
    from boundkit.numerics.known_means import KnownMeans

__all__ = ["Reading", "in_range", "second_reading"]

#: Mean squared distances from the mean whose float32 products neither overflow nor
#: vanish.
_LEAST, _MOST = 1e-20, 1e28


class _Empty(Protocol):
    def __call__(self, *, dtype: torch.dtype, quick: bool) -> KnownMeans: ...


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a second reading gives.

    Attributes:
        sums: About the class means.
        agreed: How the samples are decided.
        margins: One tensor for each batch, of outputs; empty without a classifier.
    """

    sums: KnownMeans
    agreed: Agreement
    margins: tuple[torch.Tensor, ...]


def second_reading(
    empty: _Empty,
    batches: Callable[[], Iterable[tuple[torch.Tensor, torch.Tensor]]],
    margins: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
) -> Reading | None:
    """Return sums about the class means, and how samples are decided.

    What is quick is judged after the first batch and after the last one; where it is not
    accurate, all are read again the careful way.

    Args:
        empty: Returns the sums of no samples, for features of a dtype.
        batches: Returns features (b, p) and labels (b,), from the start each time.
        margins: What is kept of the outputs (b, C') of a batch, given its labels.

    Returns:
        None where there are no batches.
    """
    for quick in (True, False):
        found = _read(empty, batches(), margins, quick=quick)
        if found is None or found.sums.accurate():
            return found
    return found


def _read(
    empty: _Empty,
    batches: Iterable[tuple[torch.Tensor, torch.Tensor]],
    margins: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None,
    *,
    quick: bool,
) -> Reading | None:
    sums: KnownMeans | None = None
    agreed: Agreement | None = None
    kept: list[torch.Tensor] = []
    for features, labels in batches:
        if sums is None:
            sums = empty(dtype=features.dtype, quick=quick)
        seen, outputs = sums.add(features, labels)
        agreed = seen if agreed is None else agreed + seen
        if not sums.accurate(done=False):
            break
        if outputs is not None and margins is not None:
            kept.append(margins(outputs, labels))
    if sums is None or agreed is None:
        return None
    return Reading(sums, agreed, tuple(kept))


def in_range(moments: ClassMoments) -> bool:
    """Say whether float32 products of centered features can be trusted.

    Args:
        moments: What they gave. Squares that overflow or vanish leave mean squared
            distances that are too large or too small.
    """
    share = float(moments.spread.sum() / moments.count.sum().clamp(min=1))
    return _LEAST < share < _MOST
