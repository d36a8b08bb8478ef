"""What all passes over the samples saw, as numbers on the CPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from boundkit.measure.noise.estimates import Sampled
from boundkit.measure.noise.passes import batches, compared, seen, widest_pairs
from boundkit.measure.noise.plans import obstacle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch
    from numpy.typing import NDArray

    from boundkit.measure.noise.drawn import Drawn
    from boundkit.measure.noise.moments import Deviations
    from boundkit.measure.noise.passes import Batch, Plan, Seen
    from boundkit.types import Network

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Found", "found_by"]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What all passes saw, on the CPU.

    Attributes:
        seen: Moments.
        gradient: Layer -> gradients of the loss.
        tangent: Layer -> pulls on the normalized layer; none with an obstacle.
        across: Layer -> (m,) inner product of each deviation with the weight.
        widest: Layer -> largest squared distance between two pulls.
        paired: Samples whose pairs were looked at.
        obstacle: Why the quantities of Xu et al. (2023) are not defined, or "".
    """

    seen: Seen
    gradient: Mapping[str, Sampled]
    tangent: Mapping[str, Sampled]
    across: Mapping[str, NDArray[np.float64]]
    widest: Mapping[str, float]
    paired: int
    obstacle: str


def found_by(
    network: Network, plan: Plan, drawn: Drawn, batch_size: int, progress: Progress
) -> Found:
    """Run all passes.

    Args:
        network: Says which layers are counted.
        plan: How gradients are taken.
        drawn: Of which samples.
        batch_size: Most samples at a time.
        progress: Called with chunks done, None, and a label.
    """
    steps = count(1)

    def report(label: str) -> None:
        if progress is not None:
            progress(next(steps), None, label)

    chunks = batches(plan, drawn.x, drawn.labels, batch_size)
    moments = seen(chunks, report)
    reason = obstacle(network, plan, moments)
    gradient, tangent = compared(chunks, moments, plan.weights, report)
    n = drawn.population
    own = _sampled(gradient, moments.gradient.mean, n)
    across = {name: _joined(pieces) for name, pieces in gradient.across.items()}
    found = Found(moments, own, {}, across, {}, 0, reason)
    if reason:
        return found
    return _with_pairs(
        found, chunks, _sampled(tangent, moments.tangent.mean, n), report
    )


def _with_pairs(
    found: Found,
    chunks: Sequence[Callable[[], Batch]],
    tangent: Mapping[str, Sampled],
    report: Callable[[str], None],
) -> Found:
    squares, paired = widest_pairs(chunks, found.seen.tangent.mean, report)
    widest = {layer: float(square) for layer, square in squares.items()}
    return replace(found, tangent=tangent, widest=widest, paired=paired)


def _sampled(
    deviations: Deviations, mean: Mapping[str, torch.Tensor], population: int
) -> dict[str, Sampled]:
    return {
        layer: Sampled(
            _joined(pieces),
            _joined(deviations.along[layer]),
            float(mean[layer].square().sum()),
            population,
        )
        for layer, pieces in deviations.squares.items()
    }


def _joined(pieces: Sequence[torch.Tensor]) -> NDArray[np.float64]:
    return np.concatenate([piece.cpu().numpy() for piece in pieces])
