"""The two-class experiment that most figures of P1 vary.

Xu, Rangamani, Liao, Galanti, Poggio (2023), section 3.2: classes 1 and 2 of CIFAR-10,
10,000 training and 2,000 test images, the six-layer net, Lagrange or weight
normalization, SGD with batches of 128, learning rate 0.03, 1,000 epochs.
"""

from __future__ import annotations

from boundkit.lab.recipe import Recipe

__all__ = ["DEPARTURES", "binary", "epochs_of"]

_EPOCHS = {"small": 300, "paper": 1000, "test": 3}

_ONE_OUTPUT = (
    "one output and targets -1/+1, as in the theory; the paper's net has two outputs"
)
_GUESSED = (
    "init is the Frobenius norm of every layer before rho is pulled out, inputs are"
    " standardized, strides are 1, 2, 1, 2: the paper leaves these open"
)

_SMALLER = (
    "two classes of Fashion-MNIST (T-shirt, dress) as means over 2 x 2 pixels, 1,000"
    " training images instead of 10,000 of CIFAR-10, a quarter of the channels, 300 epochs"
    " with batches of 64 and a cosine schedule from 0.02 instead of 1,000 with batches of"
    " 128 at 0.03"
)

#: What differs from the paper at each scale.
DEPARTURES = {
    "small": (
        _SMALLER,
        _ONE_OUTPUT,
        _GUESSED,
    ),
    "paper": (_ONE_OUTPUT, _GUESSED),
    "test": ("a few epochs, to see that all of it runs; nothing can be concluded",),
}


def epochs_of(scale: str) -> int:
    """Return the epochs of a run at a scale."""
    return _EPOCHS[scale]


def binary(
    scale: str,
    *,
    init: float = 1.0,
    decay: float = 0.001,
    noise: float = 0.0,
    seed: int = 0,
    n: int | None = None,
    record: tuple[int, ...] = (),
) -> Recipe:
    """Return a training of the two-class experiment.

    Args:
        scale: ``"small"``, ``"paper"`` or ``"test"``.
        init: Frobenius norm of each layer at the start; rho starts at its 6th power.
        decay: Weight decay on rho.
        noise: Share of the training labels that are drawn anew.
        seed: Of weights, batches and noise.
        n: Training samples; None for the scale's own number.
        record: Epochs to record.
    """
    own = {
        "small": {"classes": (0, 3), "n": 1000, "n_test": 2000, "pooling": 2},
        "paper": {"classes": (1, 2), "n": 10000, "n_test": 2000, "pooling": 1},
        "test": {"classes": (0, 3), "n": 128, "n_test": 100, "pooling": 2},
    }[scale]
    size = own | ({} if n is None else {"n": n})
    return Recipe(
        net="xu2023_six",
        epochs=_EPOCHS[scale],
        width={"small": 0.25, "paper": 1.0, "test": 0.0625}[scale],
        parametrization="lagrange",
        rate=0.03 if scale == "paper" else 0.02,
        schedule="constant" if scale == "paper" else "cosine",
        decay=decay,
        decay_on="rho",
        init=init,
        init_kind="norm",
        noise=noise,
        preprocessing="standard",
        batch=128 if scale == "paper" else 64,
        record=record,
        seed=seed,
        **size,  # type: ignore[arg-type] # each name has its own type
    )
