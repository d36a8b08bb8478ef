"""Measurements of a run's checkpoints, by the toolkit itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from boundkit.collapsing import collapse
from boundkit.lab.objective import margins
from boundkit.lab.runs import recipe_task
from boundkit.measure.forward import resolved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boundkit.lab.data import Task
    from boundkit.lab.exhibit import Bench
    from boundkit.lab.recipe import Recipe
    from boundkit.measure.collapse import Collapse
    from boundkit.measure.collapse.square_loss import Targets

__all__ = ["Features", "collapse_of", "features_of", "margins_of", "sample_of"]

_BATCH = 1000


class Features(NamedTuple):
    """What enters the last layer, and the layer.

    Attributes:
        rows: (n, p).
        labels: (n,) classes.
        weight: (outputs, p).
        bias: (outputs,), or None.
    """

    rows: torch.Tensor
    labels: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None


def sample_of(bench: Bench, recipe: Recipe) -> Task:
    """Return the samples that a recipe trains and tests on."""
    return recipe_task(recipe, bench.images)


@torch.no_grad()
def features_of(
    bench: Bench, recipe: Recipe, epoch: int | None = None, part: str = "train"
) -> Features:
    """Return the inputs of a run's last layer after an epoch, in eval mode.

    Args:
        bench: With the run.
        recipe: Of the run.
        epoch: A recorded one; None for the last.
        part: ``"train"``, with the labels that were trained on, or ``"test"``.
    """
    task = sample_of(bench, recipe)
    x, y = (
        (task.x_train, task.y_train) if part == "train" else (task.x_test, task.y_test)
    )
    where = resolved(bench.device)
    net = bench.runs[recipe].net(epoch).to(where)
    caught: list[torch.Tensor] = []
    head = net.get_submodule("head")
    hook = head.register_forward_pre_hook(lambda _module, args: caught.append(args[0]))
    for batch in torch.split(torch.from_numpy(x), _BATCH):
        net(batch.to(where))
    hook.remove()
    bias = head.bias.detach() if isinstance(head.bias, torch.Tensor) else None
    weight = torch.as_tensor(head.weight).detach()
    return Features(torch.cat(caught), torch.from_numpy(y).to(where), weight, bias)


def collapse_of(
    bench: Bench,
    recipe: Recipe,
    epoch: int | None = None,
    part: str = "train",
    *,
    weight_decay: float | None = None,
    targets: Targets = "one-hot",
) -> Collapse:
    """Return every measure of neural collapse of a run after an epoch.

    Args:
        bench: With the run.
        recipe: Of the run.
        epoch: A recorded one; None for the last.
        part: ``"train"`` or ``"test"``; for the latter the training means decide.
        weight_decay: Of the last layer, for predictions.
        targets: What the net was trained to output, for the loss's decomposition.
    """
    found = features_of(bench, recipe, epoch, part)
    means = None
    if part == "test":
        seen = features_of(bench, recipe, epoch)
        classes = range(len(recipe.classes))
        means = torch.stack([
            seen.rows[seen.labels == c].double().mean(0) for c in classes
        ])
    return collapse(
        found.rows,
        found.labels,
        found.weight,
        found.bias,
        weight_decay=weight_decay,
        square_loss="sum",
        targets=targets,
        class_means=means,
    )


@torch.no_grad()
def margins_of(
    bench: Bench, recipe: Recipe, epoch: int | None = None, part: str = "train"
) -> NDArray[np.float64]:
    """Return raw margins (n,) of a run after an epoch: y f, or f_y - max of the others.

    Args:
        bench: With the run.
        recipe: Of the run.
        epoch: A recorded one; None for the last.
        part: ``"train"`` or ``"test"``.
    """
    found = features_of(bench, recipe, epoch, part)
    scores = torch.nn.functional.linear(found.rows, found.weight, found.bias)
    return np.asarray(margins(scores, found.labels).cpu().numpy(), np.float64)
