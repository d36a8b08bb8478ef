"""The trainings that all figures of P2 share.

Han, Papyan, Donoho (2022), appendix A: VGG, ResNet and DenseNet on five data sets, with
BatchNorm, SGD with momentum 0.9, weight decay 5e-4, batches of 128, a learning rate that
falls to a tenth after a third and after two thirds of 350 epochs, as in Papyan, Han,
Donoho (2020); square loss here, cross-entropy there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.lab.recipe import Recipe, milestones

if TYPE_CHECKING:
    from boundkit.lab.recipe import Loss
    from boundkit.lab.runs import Run

__all__ = [
    "DEPARTURES",
    "LOSSES",
    "NAMES",
    "NETS",
    "RATES",
    "every",
    "first_perfect",
    "recipe_of",
    "square_only",
]

NETS = ("resnet18", "vgg11")
LOSSES: tuple[Loss, ...] = ("square", "cross-entropy")
#: Of losses, as drawings say them.
NAMES = {"square": "square loss", "cross-entropy": "cross-entropy"}

#: Of learning, at the start. The square loss summed over ten outputs is steeper.
RATES: dict[tuple[str, Loss], float] = {
    ("resnet18", "square"): 0.01,
    ("resnet18", "cross-entropy"): 0.05,
    ("vgg11", "square"): 0.03,
    ("vgg11", "cross-entropy"): 0.05,
}
#: Of channels, and epochs, at scale small: VGG11 ends in a single pixel, needs more.
_WIDTHS = {"resnet18": 0.125, "vgg11": 0.25}
_EPOCHS = {"resnet18": 90, "vgg11": 150}
#: Recorded epochs of a run, apart from the dense ones.
_POINTS = 10

_LEFT_OUT = (
    "no DenseNet; one data set; learning rates .01 and .03 (square loss) and .05"
    " (cross-entropy) where the paper takes the best of a search"
)
_SMALLER = (
    "ten classes of Fashion-MNIST as means over 2 x 2 pixels, 1,000 training and 2,000"
    " test images instead of the whole data sets; an eighth (ResNet18) or a quarter"
    " (VGG11) of the channels; 90 and 150 epochs with batches of 50 instead of 350 with"
    " 128"
)
_LOSS = (
    "the square loss is summed over outputs and averaged over samples; weight decay is"
    " torch's, on all weights"
)
DEPARTURES = {
    "small": (
        _SMALLER,
        _LEFT_OUT,
        _LOSS,
    ),
    "paper": (_LEFT_OUT, _LOSS),
    "test": ("a few epochs, to see that all of it runs; nothing can be concluded",),
}


def recipe_of(scale: str, net: str, loss: Loss) -> Recipe:
    """Return the training of a net with a loss.

    Args:
        scale: ``"small"``, ``"paper"`` or ``"test"``.
        net: One of ``NETS``.
        loss: One of ``LOSSES``.
    """
    epochs = {"small": _EPOCHS[net], "paper": 350, "test": 3}[scale]
    return Recipe(
        net=net,
        epochs=epochs,
        width={"small": _WIDTHS[net], "paper": 1.0, "test": 0.03125}[scale],
        loss=loss,
        coding="one-hot",
        rate=RATES[net, loss],
        schedule="step",
        decay=5e-4,
        classes=tuple(range(10)),
        n={"small": 1000, "paper": 50_000, "test": 100}[scale],
        n_test={"small": 2000, "paper": 10_000, "test": 100}[scale],
        preprocessing="standard",
        pooling=1 if scale == "paper" else 2,
        batch=128 if scale == "paper" else 50,
        record=_recorded(epochs),
    )


def _recorded(epochs: int) -> tuple[int, ...]:
    """Return epochs that grow, and even ones to find where the training error vanishes."""
    dense = range(epochs // 9, epochs, max(epochs // 15, 1))
    return tuple(sorted({*milestones(epochs, _POINTS), *dense}))


def square_only(scale: str) -> tuple[Recipe, ...]:
    """Return the trainings with the square loss."""
    return tuple(recipe_of(scale, net, "square") for net in NETS)


def every(scale: str) -> tuple[Recipe, ...]:
    """Return the trainings with both losses."""
    return tuple(recipe_of(scale, net, loss) for net in NETS for loss in LOSSES)


def first_perfect(run: Run) -> int | None:
    """Return the first recorded epoch of a run without a training error, or None."""
    for row in run.rows:
        if row["train_error"] == 0:
            return int(row["epoch"])
    return None
