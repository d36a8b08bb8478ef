"""The trainings of P4's figures 1 and 3 to 8.

Ji, Lu, Zhang, Deng, Su (2022), appendix D: ResNet18 and VGG13 on MNIST, KMNIST,
Fashion-MNIST and CIFAR-10, cross-entropy, SGD with batches of 128, learning rate 0.01,
momentum 0.3, no weight decay; the horizontal axes of the figures end at 500 epochs.
"""

from __future__ import annotations

from boundkit.lab.recipe import Recipe, milestones

__all__ = ["DEPARTURES", "recipe_of"]

#: Recorded epochs of a run.
_POINTS = 18

_SMALLER = (
    "images as means over 2 x 2 pixels, 500 training images instead of all, an eighth of"
    " the channels, 150 epochs with batches of 25 instead of 500 with 128"
)
_ONE = (
    "one training of each net; features are measured in eval mode, with the running"
    " moments of BatchNorm"
)
DEPARTURES = {
    "small": (_SMALLER, _ONE),
    "paper": ("5,000 training images of each class, for equal classes", _ONE),
    "test": ("a few epochs, to see that all of it runs; nothing can be concluded",),
}


def recipe_of(scale: str, net: str) -> Recipe:
    """Return the training of a net.

    Args:
        scale: ``"small"``, ``"paper"`` or ``"test"``.
        net: ``"resnet18"`` or ``"vgg13"``.
    """
    epochs = {"small": 150, "paper": 500, "test": 3}[scale]
    return Recipe(
        net=net,
        epochs=epochs,
        width={"small": 0.125, "paper": 1.0, "test": 0.03125}[scale],
        loss="cross-entropy",
        rate=0.01,
        momentum=0.3,
        classes=tuple(range(10)),
        n={"small": 500, "paper": 50_000, "test": 100}[scale],
        n_test={"small": 1000, "paper": 8000, "test": 100}[scale],
        preprocessing="standard",
        pooling=1 if scale == "paper" else 2,
        batch=128 if scale == "paper" else 25,
        record=milestones(epochs, _POINTS),
    )
