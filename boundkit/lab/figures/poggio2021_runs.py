"""The trainings that all figures of P0 share.

Poggio, Liao (2021), section 8: classes 1 and 2 of CIFAR-10, 10,000 training and 2,000
test images of norm at most 1, three convolutions with ReLU and BatchNorm without scale
and shift and a dense layer of two outputs, initial weights of one Frobenius norm in all
layers, square loss, SGD with batches of 128, momentum 0.9, learning rate 0.01, 1,000
epochs, weight decay 0.01 or none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.lab.figures.stand_in import data_note
from boundkit.lab.recipe import Recipe, milestones

if TYPE_CHECKING:
    from boundkit.lab.exhibit import Bench
    from boundkit.lab.recipe import Schedule

__all__ = ["DECAYS", "INITS", "SEEDS", "departures", "inits_of", "recipe_of"]

#: With weight decay, and without.
DECAYS = (0.01, 0.0)
#: Frobenius norms of all layers at the start; at scale paper these are all.
INITS = (0.01, 0.1, 0.5, 1.0, 3.0, 5.0, 10.0)
_FEW = (0.01, 0.1, 1.0, 5.0)
#: Runs of each case, for means.
SEEDS = {"small": 3, "paper": 10, "test": 2}
#: Recorded epochs of a run, apart from those at equal distances.
_POINTS = 10

_SMALLER = (
    "classes 0 and 3 (T-shirt and dress in Fashion-MNIST) instead of 1 and 2, images as"
    " means over 2 x 2 pixels, 400 for training instead of 10,000, a quarter of the"
    " channels, 2,000 steps with batches of 50 (250 epochs) instead of 78,000 with 128"
    " (1,000 epochs)"
)
_LOSS = (
    "targets are 1 and -1, the square loss is summed over both outputs; weight decay is"
    " torch's, on the weights of all layers; images are divided by their norm"
)
_RHO = (
    "rho is the product of the Frobenius norms of all four layers, as the caption of figure"
    " 2 says, though BatchNorm makes the outputs independent of all norms but the last; the"
    " gradient of a layer before BatchNorm is orthogonal to it, so that without weight decay"
    " steps lengthen such layers, and only the last can make rho smaller"
)
_DEPARTURES = {
    "small": (_SMALLER, _LOSS, _RHO),
    "paper": (_LOSS, _RHO),
    "test": ("a few epochs, to see that all of it runs; nothing can be concluded",),
}


def departures(bench: Bench) -> tuple[str, ...]:
    """Return what differs from the paper's experiments, a sentence each."""
    return (*_DEPARTURES[bench.scale], data_note(bench.images, ("CIFAR-10",)))


def inits_of(scale: str) -> tuple[float, ...]:
    """Return the initial norms that are compared at a scale."""
    return INITS if scale == "paper" else _FEW


def recipe_of(
    scale: str,
    init: float,
    decay: float,
    seed: int = 0,
    *,
    epochs: int | None = None,
    schedule: Schedule = "constant",
) -> Recipe:
    """Return a training of the two-class experiment.

    Args:
        scale: ``"small"``, ``"paper"`` or ``"test"``.
        init: Frobenius norm of each layer at the start.
        decay: Weight decay.
        seed: Of weights and batches.
        epochs: None for the scale's own number.
        schedule: Of the learning rate.
    """
    own = {"small": 250, "paper": 1000, "test": 1}[scale]
    count = own if epochs is None else epochs
    steady = range(0, count, max(count // 10, 1))
    return Recipe(
        net="poggio2021_batch_norm",
        epochs=count,
        width={"small": 0.25, "paper": 1.0, "test": 0.0625}[scale],
        coding="centered",
        rate=0.01,
        schedule=schedule,
        decay=decay,
        init=init,
        init_kind="norm",
        classes=(1, 2) if scale == "paper" else (0, 3),
        n={"small": 400, "paper": 10_000, "test": 100}[scale],
        n_test={"small": 1000, "paper": 2000, "test": 100}[scale],
        pooling=1 if scale == "paper" else 2,
        batch=128 if scale == "paper" else 50,
        record=tuple(sorted({*milestones(count, _POINTS), *steady})),
        seed=seed,
    )
