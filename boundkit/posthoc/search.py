"""Finds the posterior: closed form first, then refinement within the budget."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from boundkit.errors import ModelError
from boundkit.layers.probe import copied
from boundkit.numerics.kl_inverse import log_kl_moment
from boundkit.posthoc.closed_form import closed_form, curvature, quick_bound
from boundkit.posthoc.coordinates import SHIFTS, coordinates_of, nearest_shift
from boundkit.posthoc.family import group_of_each, nats_of_choice
from boundkit.posthoc.gaussians import Posterior
from boundkit.posthoc.halving import rounds
from boundkit.posthoc.losses import SCALES, smooth_loss
from boundkit.posthoc.objective import Task
from boundkit.posthoc.refinement import Refined, refined
from boundkit.posthoc.sample import require_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from boundkit.posthoc.coordinates import Coordinates
    from boundkit.posthoc.sample import Sample
    from boundkit.posthoc.settled import Settled

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["Searched", "search"]

#: Samples on which posteriors are compared.
_COMPARED = 2000
#: Steps where nobody says how many.
_MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """The posterior that is drawn from.

    Attributes:
        net: The network on the device, in the coordinates of the posterior.
        shift: Index of their shift.
        posterior: (P,) float32 normals on the CPU.
        steps: That the optimizer took.
        stopped: Why it ended.
    """

    net: Coordinates
    shift: int
    posterior: Posterior
    steps: int
    stopped: str


def search(
    net: Settled,
    center: Mapping[str, torch.Tensor],
    sample: Sample,
    device: torch.device,
    draws_per_delta: float,
    *,
    budget: float,
    steps: int | None,
    draws: int,
    progress: Progress,
) -> Searched:
    """Find a posterior whose single draws have small bounds.

    Args:
        net: The trained network.
        center: Of the prior, by name.
        sample: The training sample.
        device: Where to run.
        draws_per_delta: Draws over delta, whose logarithm is paid.
        budget: Seconds, including those that the draws will take afterwards.
        steps: Of the optimizer at most, or None.
        draws: Networks that will be drawn.
        progress: Called with percent done, 100, and a label.

    Raises:
        DataError: The labels do not fit the outputs.
        ModelError: The model does not run, or its numbers are too large for 32 bits.
    """
    begun = time.perf_counter()
    deadline = begun + budget
    shift = nearest_shift(sample.x[:500])
    here = coordinates_of(net).shifted(SHIFTS[shift])
    trained, middle = here.flattened(net.values()), here.flattened(center)
    here = replace(here, module=copied(here.module).to(device).requires_grad_(False))
    generator = _generator(device)
    extra = nats_of_choice(here) + log_kl_moment(sample.n) + math.log(draws_per_delta)
    task = _task(here, trained, middle, sample, device, extra)
    fisher = curvature(here, trained.float().to(device), task.x, task.scale, generator)
    some = slice(None, None, max(1, len(task.x) // _COMPARED))
    few = task.x[some], task.labels[some]
    quality = partial(_quality, task, few, generator)
    seconds = _pass_seconds(here, trained.float().to(device), few[0])
    deadline -= seconds * sum(left * some for left, some in rounds(draws, sample.n))
    start = closed_form(
        trained.float().to(device),
        task.center,
        task.groups,
        len(here.names),
        fisher.float(),
        sample.n,
        quality,
    )
    _require_finite(start)
    found = refined(
        task,
        start,
        steps=_MOST_STEPS if steps is None else steps,
        deadline=deadline,
        generator=generator,
        progress=progress,
    )
    best = found.posterior if found.steps == 0 else _better(start, found, quality)
    stored = Posterior(best.mean.float().cpu(), best.log_scale.float().cpu())
    return Searched(here, shift, stored, found.steps, found.stopped)


def _require_finite(posterior: Posterior) -> None:
    for values in (posterior.mean, posterior.log_scale):
        if not bool(values.isfinite().all()):
            raise ModelError(
                "weights or gradients are too large for 32 bits, so there is no posterior"
                " around them; give a checkpoint from before training diverged"
            )


def _generator(device: torch.device) -> torch.Generator:
    import torch

    return torch.Generator(device).manual_seed(0)


def _task(
    net: Coordinates,
    trained: torch.Tensor,
    center: torch.Tensor,
    sample: Sample,
    device: torch.device,
    extra: float,
) -> Task:
    x, labels = sample.x.to(device), sample.labels.to(device)
    scale = _best_scale(
        net, trained.float().to(device), x[:2000], labels[:2000], sample
    )
    groups = group_of_each(net).to(device)
    middle = center.float().to(device)
    return Task(net, middle, groups, x, labels, sample.n, extra, scale)


def _best_scale(
    net: Coordinates,
    vector: torch.Tensor,
    x: torch.Tensor,
    labels: torch.Tensor,
    sample: Sample,
) -> float:
    """Return the factor on the outputs at which their cross-entropy is smallest."""
    import torch

    with torch.no_grad():
        outputs = net.outputs(vector, x)
        require_labels(sample, outputs.shape[1])
        losses = [float(smooth_loss(outputs, labels, scale)) for scale in SCALES]
    known = [loss if math.isfinite(loss) else math.inf for loss in losses]
    return SCALES[known.index(min(known))]


def _pass_seconds(net: Coordinates, vector: torch.Tensor, x: torch.Tensor) -> float:
    """Return the seconds that one sample takes."""
    import torch

    start = time.perf_counter()
    with torch.no_grad():
        outputs = [net.outputs(vector, some) for some in torch.split(x, 1000)]
        float(outputs[-1].sum())  # waits for a GPU
    return (time.perf_counter() - start) / len(x)


def _quality(
    task: Task,
    few: tuple[torch.Tensor, torch.Tensor],
    generator: torch.Generator | None,
    posterior: Posterior,
) -> float:
    return quick_bound(
        task.net,
        posterior,
        task.center,
        task.groups,
        *few,
        task.n,
        task.extra,
        generator,
    )


def _better(
    start: Posterior, found: Refined, quality: Callable[[Posterior], float]
) -> Posterior:
    """Return the better of two, each by the mean over three draws."""
    options = (found.posterior, start)
    return min(options, key=lambda option: sum(quality(option) for _ in range(3)))
