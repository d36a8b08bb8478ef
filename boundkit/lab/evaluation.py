"""What is measured of a net between epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from boundkit.lab.learner import objective, rho_of, scores
from boundkit.lab.nets.architecture import layers_of
from boundkit.lab.objective import margins, mean_loss, targets
from boundkit.measure.margins import margin_summary
from boundkit.types import Alignment

if TYPE_CHECKING:
    from boundkit.lab.data.task import Task
    from boundkit.lab.learner import Learner
    from boundkit.lab.recipe import Recipe

__all__ = ["Sample", "measured", "placed"]

_BATCH = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Samples on the device of training.

    Attributes:
        x: (n, channels, rows, columns) float32.
        y: (n,) classes.
        wanted: Targets of the loss.
    """

    x: Tensor
    y: Tensor
    wanted: Tensor


def placed(task: Task, recipe: Recipe, device: torch.device) -> tuple[Sample, Sample]:
    """Return training and test sample on a device.

    Args:
        task: Arrays.
        recipe: Says what the targets are.
        device: Where to.
    """
    parts = ((task.x_train, task.y_train), (task.x_test, task.y_test))
    found = []
    for images, classes in parts:
        x, y = (torch.from_numpy(part).to(device) for part in (images, classes))
        wanted = targets(y, task.classes, recipe.loss, recipe.coding)
        found.append(Sample(x, y, wanted))
    return found[0], found[1]


@torch.no_grad()
def outputs(learner: Learner, x: Tensor) -> Tensor:
    """Return scores (n, outputs) in eval mode, batch by batch."""
    training = learner.net.training
    learner.net.eval()
    try:
        return torch.cat([scores(learner, batch) for batch in torch.split(x, _BATCH)])
    finally:
        learner.net.train(training)


@torch.no_grad()
def measured(learner: Learner, train: Sample, test: Sample) -> dict[str, Any]:
    """Return losses, errors, margins and norms; None for what is not finite.

    Args:
        learner: Between two epochs.
        train: Training sample, noise in labels included.
        test: Held-out sample.
    """
    recipe = learner.recipe
    seen, held_out = outputs(learner, train.x), outputs(learner, test.x)
    loss = mean_loss(seen.double(), _wide(train.wanted), recipe.loss)
    test_loss = mean_loss(held_out.double(), _wide(test.wanted), recipe.loss)
    own, other = margins(seen, train.y), margins(held_out, test.y)
    rho = float(rho_of(learner))
    decay = recipe.decay if recipe.decay_on == "rho" else None
    known = bool(own.isfinite().all()) and 0 < rho < math.inf
    return {
        "rho": _finite(rho),
        "log10_rho": _finite(math.log10(rho)) if rho > 0 else None,
        "norms": _norms(learner.net),
        "loss": _finite(float(loss)),
        "objective": _finite(float(objective(learner, loss))),
        "train_error": _error(own),
        "test_error": _error(other),
        "test_loss": _finite(float(test_loss)),
        "margins": margin_summary(
            own.cpu().numpy(), math.log10(rho), decay, _alignment(seen, train.y)
        )
        if known
        else None,
    }


def _wide(wanted: Tensor) -> Tensor:
    return wanted.double() if wanted.is_floating_point() else wanted


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _error(of: Tensor) -> float | None:
    """Return the share of samples that are not on their side; a tie is an error."""
    return float((of <= 0).double().mean()) if of.isfinite().all() else None


def _norms(net: nn.Module) -> dict[str, float | None]:
    return {
        name: _finite(float(torch.linalg.vector_norm(layer.weight.double())))
        for name, layer in layers_of(net).items()
    }


def _alignment(seen: Tensor, labels: Tensor) -> Alignment | None:
    """Return how several outputs lie to the centered targets."""
    classes = seen.shape[1]
    if classes == 1:
        return None
    wide = seen.double()
    own = wide.gather(1, labels[:, None])[:, 0]
    along = (classes * own - wide.sum(1)) / (classes - 1)
    energy = wide.square().sum(1).mean()
    return Alignment(classes, float(along.mean()), float(energy))
