"""Draws networks from a posterior and keeps the one with the best certificate."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boundkit.posthoc.counting import Count, counted
from boundkit.posthoc.family import (
    center_sha256,
    encoded,
    member,
    nats_of_choice,
    posterior_bytes,
    prior_document,
    prior_of,
)
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
    from collections.abc import Callable, Mapping

    import torch

    from boundkit.posthoc.family import Member
    from boundkit.posthoc.sample import Sample
    from boundkit.posthoc.search import Searched

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Drawn", "best_draw", "own_keys"]


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
    """Draw networks, count the errors of all in one pass, and return the best.

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
        DataError: A batch is not usable.
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
    counts = counted(
        net.module,
        drawn,
        sample.batches(batch_size),
        device,
        progress=progress,
        total=sample.n,
    )
    found = []
    for at, (tensors, count) in enumerate(zip(drawn, counts, strict=True)):
        h = net.flattened(tensors)
        cost = complexity(net, h, posterior, prior, union, sample.n, draws, delta)
        bound = single_draw(count.guarded, sample.n, cost)
        rule = ENTROPY if system else DERIVED
        found.append(Drawn(tensors, at, draws, count, cost, bound, chosen, seed, rule))
    return min(found, key=lambda one: (one.bound, one.index))


def own_keys(
    drawn: Drawn,
    searched: Searched,
    kind: str,
    source: str | None,
    center: Mapping[str, torch.Tensor],
    bridge: Mapping[str, Any] | None,
    delta: float,
) -> dict[str, Any]:
    """Return the keys that only certificates of draws have.

    Args:
        drawn: The best draw.
        searched: Its posterior.
        kind: ``"zero"`` or ``"init"``.
        source: Path of the init, or None.
        center: Of the prior, by name.
        bridge: To the original network, or None.
        delta: That the draws share.
    """
    cost, posterior = drawn.cost, searched.posterior
    return {
        "log_ratio": cost.log_ratio,
        "rounding_nats": cost.rounding,
        "union_nats": cost.union,
        "log_moment": cost.log_moment,
        "delta_share": delta / drawn.draws,
        "draws": drawn.draws,
        "chosen": drawn.index,
        "prior": prior_document(
            searched.net, drawn.chosen, kind, source, center_sha256(center)
        ),
        "posterior": {
            "sha256": hashlib.sha256(posterior_bytes(posterior)).hexdigest(),
            "steps": searched.steps,
            "mean": encoded(posterior.mean),
            "log_scale": encoded(posterior.log_scale),
        },
        "seed": drawn.seed,
        "seed_rule": drawn.seed_rule,
        "stopped": searched.stopped,
        "bridge": bridge,
    }
