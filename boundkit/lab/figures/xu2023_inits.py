"""The trainings from several scales of initialization that figures 5 and 10 of P1 share.

Xu, Rangamani, Liao, Galanti, Poggio (2023), sections 4.2 and 6.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.lab.figures.xu2023_few import three

if TYPE_CHECKING:
    from boundkit.lab.recipe import Recipe

__all__ = ["INITS", "MANY", "SEEDS", "every", "recipe_of"]

#: Weight decay -> scales of figure 5.
INITS = {0.001: (0.9, 1.0, 1.2, 1.3), 0.0: (0.8, 0.9, 1.0, 1.3, 1.5)}
SEEDS = {"small": 3, "paper": 10, "test": 1}
MANY = {
    "small": "three runs a scale instead of ten",
    "paper": "the scales are those of figure 5",
    "test": "one run a scale",
}


def recipe_of(scale: str, init: float, decay: float, seed: int) -> Recipe:
    """Return a training.

    Args:
        scale: ``"small"``, ``"paper"`` or ``"test"``.
        init: Frobenius norm of each layer at the start.
        decay: Weight decay on rho.
        seed: Of weights and batches.
    """
    return three(scale, "inits", init=init, decay=decay, seed=seed)


def every(scale: str) -> tuple[Recipe, ...]:
    """Return all of them."""
    return tuple(
        recipe_of(scale, init, decay, seed)
        for seed in range(SEEDS[scale])
        for decay, inits in INITS.items()
        for init in inits
    )
