"""Draws networks from a posterior and keeps the one with the best certificate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from boundkit.numerics.kl_inverse import kl_inverse
from boundkit.posthoc.counting import Count, counted
from boundkit.posthoc.family import (
    member,
    nats_of_choice,
    posterior_bytes,
    prior_of,
)
from boundkit.posthoc.halving import halved
from boundkit.posthoc.sample import require_labels
from boundkit.posthoc.seeds import (
    DERIVED,
    ENTROPY,
    derived_seed,
    normals,
    system_seed,
)
from boundkit.posthoc.single_draw import (
    Complexity,
    complexity,
    drawn_tensors,
    single_draw,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from boundkit.posthoc.coordinates import Coordinates
    from boundkit.posthoc.family import Member
    from boundkit.posthoc.sample import Sample
    from boundkit.posthoc.search import Searched

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Drawn", "best_draw"]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The best of several draws.

    Attributes:
        tensors: Name -> float32 weights.
        index: Number of the draw.
        draws: How many there were.
        count: Its errors.
        cost: Its nats.
        bound: On its error probability.
        chosen: The member of the family of priors.
        seed: Of all draws.
        seed_rule: Where the seed is from.
    """

    tensors: Mapping[str, torch.Tensor]
    index: int
    draws: int
    count: Count
    cost: Complexity
    bound: float
    chosen: Member
    seed: str
    seed_rule: str


def best_draw(
    searched: Searched,
    center: Mapping[str, torch.Tensor],
    sample: Sample,
    device: torch.device,
    *,
    delta: float,
    draws: int,
    system: bool,
    batch_size: int,
    progress: Progress,
) -> Drawn:
    """Draw networks and return the best, its errors counted on the whole sample.

    Args:
        searched: The posterior.
        center: Of the prior, by name.
        sample: The training sample.
        device: Where to run.
        delta: Probability that the statement fails.
        draws: How many.
        system: Whether the seed is the system's.
        batch_size: Samples at a time.
        progress: Called with samples done, samples in all, and a label.

    Raises:
        DataError: A batch is not usable, or labels do not fit the outputs.
        ModelError: The model does not run.
    """
    net, posterior = searched.net, searched.posterior
    middle = net.flattened(center)
    chosen = member(net, posterior, middle, searched.shift)
    prior, union = prior_of(net, middle, chosen), nats_of_choice(net)
    seed = (
        system_seed()
        if system
        else derived_seed(posterior_bytes(posterior), sample.sha256)
    )
    size = len(posterior.mean)
    drawn = [
        drawn_tensors(net, posterior, normals(seed, at, size)) for at in range(draws)
    ]
    costs = [
        complexity(
            net, net.flattened(one), posterior, prior, union, sample.n, draws, delta
        )
        for one in drawn
    ]
    left = halved(
        draws, sample.n, partial(_estimates, net, drawn, costs, sample, device)
    )
    counts = counted(
        net.module,
        [drawn[at] for at in left],
        sample.batches(batch_size),
        device,
        progress=progress,
        total=sample.n,
    )
    require_labels(sample, counts[0].outputs)
    rule = ENTROPY if system else DERIVED
    found = []
    for at, count in zip(left, counts, strict=True):
        bound = single_draw(count.guarded, sample.n, costs[at])
        found.append(
            Drawn(drawn[at], at, draws, count, costs[at], bound, chosen, seed, rule)
        )
    return min(found, key=lambda one: (one.bound, one.index))


def _estimates(
    net: Coordinates,
    drawn: Sequence[Mapping[str, torch.Tensor]],
    costs: Sequence[Complexity],
    sample: Sample,
    device: torch.device,
    numbers: Sequence[int],
    some: int,
) -> list[float]:
    """Return the bound that some samples, evenly spread, let one expect of each draw."""
    import torch

    step = max(1, len(sample.x) // some)
    x, labels = sample.x[::step][:some], sample.labels[::step][:some]
    batches = zip(torch.split(x, 1000), torch.split(labels, 1000), strict=True)
    counts = counted(net.module, [drawn[at] for at in numbers], batches, device)
    return [
        kl_inverse(count.guarded / len(x), costs[at].total / sample.n)
        for at, count in zip(numbers, counts, strict=True)
    ]
