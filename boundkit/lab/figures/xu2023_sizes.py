"""The trainings of figures 6 and 7 of P1: samples of several sizes, two nets.

Xu, Rangamani, Liao, Galanti, Poggio (2023), section 4.3.
"""

from __future__ import annotations

from boundkit.lab.figures.xu2023_few import CLASSES
from boundkit.lab.recipe import Recipe

__all__ = ["COUNTS", "NOTES", "SIX", "THREE", "recipes_of"]

#: Nets of figure 6 and of figure 7.
SIX, THREE = "xu2023_six", "xu2023_three"
#: Training images by scale.
COUNTS = {
    "small": (128, 256, 512, 1024),
    "paper": (1000, 2500, 5000, 10_000),
    "test": (20, 40),
}
_SEEDS = {"small": 2, "paper": 10, "test": 1}
#: Steps of SGD at scale small, the same for all sizes of the sample.
_STEPS = 2000
_BATCH = {"small": 32, "paper": 128, "test": 10}
#: What differs from the paper at each scale.
NOTES = {
    "small": (
        (
            "two classes of Fashion-MNIST (T-shirt, dress), 128 to 1,024 training images of"
            " each size's first ones and 1,000 test images; 2,000 steps of SGD with batches of"
            " 32 at every size, cosine from 0.03; two runs a size"
        ),
        (
            "the initial norm of each layer is 1 and not 0.1: six norms of 0.1 make outputs of"
            " a millionth, from which narrow nets do not start"
        ),
        (
            "six layers: a quarter of the channels and means over 2 x 2 pixels; three layers:"
            " half of the channels"
        ),
    ),
    "paper": (
        "the paper's text names no sizes: 1,000 to 10,000 are taken, and 1,000 epochs",
        "initialization 0.1 is read as a tenth of He's",
    ),
    "test": ("a few epochs, to see that all of it runs; nothing can be concluded",),
}


def _recipe(net: str, scale: str, n: int, seed: int) -> Recipe:
    batch = 32 if net == THREE and scale == "paper" else _BATCH[scale]
    width = {"small": 0.25 if net == SIX else 0.5, "paper": 1.0, "test": 0.125}[scale]
    return Recipe(
        net=net,
        epochs={"small": _STEPS * batch // n, "paper": 1000, "test": 2}[scale],
        width=width,
        parametrization="lagrange",
        rate=0.03,
        schedule="cosine",
        decay=0.001,
        decay_on="rho",
        init=0.1 if scale == "paper" else 1.0,
        init_kind="scaled" if scale == "paper" else "norm",
        classes=CLASSES[scale],
        n=n,
        n_test={"small": 1000, "paper": 2000, "test": 40}[scale],
        preprocessing="standard",
        pooling=2 if net == SIX and scale != "paper" else 1,
        batch=batch,
        seed=seed,
    )


def recipes_of(net: str, scale: str) -> tuple[Recipe, ...]:
    """Return the trainings of a net, by size of the sample, then by seed.

    Args:
        net: ``SIX`` or ``THREE``.
        scale: ``"small"``, ``"paper"`` or ``"test"``.
    """
    return tuple(
        _recipe(net, scale, n, seed)
        for n in COUNTS[scale]
        for seed in range(_SEEDS[scale])
    )
