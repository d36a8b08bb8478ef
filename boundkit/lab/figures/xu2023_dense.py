"""The trainings of dense nets for what P1 says of rank: batch sizes and weight decays.

Xu, Rangamani, Liao, Galanti, Poggio (2023), section 6.1; Galanti, Siegel, Gupte, Poggio
(2022) vary the same.
"""

from __future__ import annotations

from boundkit.lab.figures.xu2023_few import CLASSES
from boundkit.lab.recipe import Recipe

__all__ = ["BATCHES", "DECAYS", "NOTES", "RANK", "cases", "every", "recipe_of"]

#: Of rho.
DECAYS = (0.0, 0.001, 0.01)
#: Batch sizes by scale, from small to large.
BATCHES = {"small": (5, 20, 100), "paper": (32, 128, 512), "test": (5,)}
_SEEDS = {"small": 2, "paper": 3, "test": 1}
_N = {"small": 100, "paper": 10_000, "test": 20}
_STEPS = {"small": 1500, "paper": 78_125, "test": 8}
#: What is not the paper's own, by scale.
NOTES = {
    "small": (
        (
            "two classes of Fashion-MNIST (T-shirt, dress) as means over 2 x 2 pixels, 100"
            " training images; dense layers of 64, 64 and one units,"
            " Lagrange-normalized, init 1; 1,500 steps at every batch size, cosine from 0.02;"
            " two runs a setting"
        ),
        (
            "all batch sizes take as many steps, but small ones end with a larger training"
            " loss, with and without weight decay: see the table"
        ),
        (
            "the paper shows no figure of this; it refers to Galanti et al. (2022), where batch"
            " size and weight decay are varied as here"
        ),
    ),
    "paper": (
        "the paper shows no figure of this: dense layers of 512, 512 and one units; 10,000 images",
    ),
    "test": ("a few steps, to see that all of it runs; nothing can be concluded",),
}
#: What is called rank.
RANK = (
    "rank is the stable rank ||V||_F^2 / ||V||_2^2, which moves before the numerical rank"
    " does; mean of the hidden layers"
)


def recipe_of(scale: str, batch: int, decay: float, seed: int) -> Recipe:
    """Return a training.

    Args:
        scale: ``"small"``, ``"paper"`` or ``"test"``.
        batch: Samples of a step.
        decay: Weight decay on rho.
        seed: Of weights and batches.
    """
    return Recipe(
        net="mlp",
        epochs=_STEPS[scale] * batch // _N[scale],
        width={"small": 0.125, "paper": 1.0, "test": 0.03125}[scale],
        parametrization="lagrange",
        rate=0.02,
        schedule="cosine",
        decay=decay,
        decay_on="rho",
        init_kind="norm",
        classes=CLASSES[scale],
        n=_N[scale],
        n_test={"small": 1000, "paper": 2000, "test": 40}[scale],
        preprocessing="standard",
        pooling=1 if scale == "paper" else 2,
        batch=batch,
        seed=seed,
    )


def cases(scale: str) -> tuple[tuple[int, float, int], ...]:
    """Return batch size, weight decay and seed of every training."""
    return tuple(
        (batch, decay, seed)
        for batch in BATCHES[scale]
        for decay in DECAYS
        for seed in range(_SEEDS[scale])
    )


def every(scale: str) -> tuple[Recipe, ...]:
    """Return all trainings, in the order of ``cases``."""
    return tuple(recipe_of(scale, *case) for case in cases(scale))
