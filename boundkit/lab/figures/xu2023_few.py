"""The two-class experiment of P1 with so few images that small nets fit them.

Xu, Rangamani, Liao, Galanti, Poggio (2023), section 3.2. At scale small the six layers
with a quarter of their channels do not fit random labels in a minute: most stop at outputs
of zero. So figures that need interpolation take the three layers of the paper's figure 7.
At scale paper all of them take the paper's own net and sizes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from boundkit.lab.figures.xu2023_binary import DEPARTURES as LARGER
from boundkit.lab.figures.xu2023_binary import binary
from boundkit.lab.recipe import Recipe
from boundkit.measure.margins import margin_summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boundkit.lab.exhibit import Bench
    from boundkit.lab.recipe import Coding, Parametrization, Schedule
    from boundkit.lab.runs import Run

__all__ = [
    "CLASSES",
    "DEPARTURES",
    "FIT",
    "Sizes",
    "mean_and_error",
    "normalized_margins",
    "rho_of",
    "small_three",
    "three",
]

Sizes = Literal["labels", "inits", "noise", "collapse", "random"]

#: A share of errors below which a net counts as fitting its sample.
FIT = 0.01
#: Labels of T-shirt and dress in Fashion-MNIST; the paper has 1 and 2 of CIFAR-10.
CLASSES = {"small": (0, 3), "paper": (1, 2), "test": (0, 3)}

#: At scale small: images, batch size, epochs.
_SMALL: Mapping[Sizes, tuple[int, int, int]] = {
    "labels": (100, 20, 400),
    "inits": (100, 20, 200),
    "noise": (40, 10, 400),
    "collapse": (100, 20, 400),
    "random": (100, 20, 800),
}

_FEW = (
    "two classes of Fashion-MNIST (T-shirt, dress), 40 to 100 training and 1,000 test"
    " images instead of 10,000 and 2,000 of CIFAR-10; the three layers of the paper's"
    " figure 7 with half of their channels instead of the six; batches of 10 or 20"
    " instead of 128; 200 to 800 epochs, cosine from 0.03, instead of 1,000 at 0.03"
)
_ONE_OUTPUT = (
    "one output and targets -1/+1, as in the theory; the paper's net has two outputs"
)
_SIGN = (
    "rho may change its sign here; its absolute value, the product of the layers' norms,"
    " is shown"
)
_INIT = (
    "init is the Frobenius norm of every layer before rho is pulled out, so three layers"
    " start at rho = init^3"
)

#: What differs from the paper at each scale, for trainings of ``three``.
DEPARTURES = {
    "small": (_FEW, _ONE_OUTPUT, _SIGN, _INIT),
    "paper": LARGER["paper"],
    "test": LARGER["test"],
}


def three(
    scale: str,
    sizes: Sizes,
    *,
    init: float = 1.0,
    decay: float = 0.001,
    noise: float = 0.0,
    seed: int = 0,
    record: tuple[int, ...] = (),
) -> Recipe:
    """Return a training that is to fit its sample, Lagrange-normalized.

    Args:
        scale: ``"small"``, ``"paper"`` or ``"test"``.
        sizes: How many images and epochs at scale small.
        init: Frobenius norm of each layer at the start.
        decay: Weight decay on rho.
        noise: Share of the training labels that are drawn anew.
        seed: Of weights, batches and noise.
        record: Epochs to record.
    """
    if scale == "paper":
        given = binary(scale, init=init, decay=decay, noise=noise, seed=seed)
        return replace(given, record=record)
    return small_three(
        scale, sizes, init=init, decay=decay, noise=noise, seed=seed, record=record
    )


def small_three(
    scale: str,
    sizes: Sizes,
    *,
    init: float = 1.0,
    decay: float = 0.001,
    noise: float = 0.0,
    seed: int = 0,
    record: tuple[int, ...] = (),
    coding: Coding = "signed",
    parametrization: Parametrization = "lagrange",
    schedule: Schedule = "cosine",
) -> Recipe:
    """Return a training of the net of three layers at scale small or test.

    Args:
        scale: ``"small"`` or ``"test"``.
        sizes: How many images and epochs at scale small.
        init: Frobenius norm of each layer at the start.
        decay: Weight decay on rho.
        noise: Share of the training labels that are drawn anew.
        seed: Of weights, batches and noise.
        record: Epochs to record, at scale small.
        coding: Of targets; but for ``"signed"`` there are two outputs.
        parametrization: Of layers.
        schedule: Of the learning rate.
    """
    testing = scale == "test"
    n, batch, epochs = (20, 10, 2) if testing else _SMALL[sizes]
    return Recipe(
        net="xu2023_three",
        epochs=epochs,
        width=0.125 if testing else 0.5,
        coding=coding,
        parametrization=parametrization,
        rate=0.03,
        schedule=schedule,
        decay=decay,
        decay_on="rho",
        init=init,
        init_kind="norm",
        noise=noise,
        classes=CLASSES[scale],
        n=n,
        n_test=40 if testing else 1000,
        preprocessing="standard",
        batch=batch,
        record=() if testing else record,
        seed=seed,
    )


def rho_of(run: Run, at: int = -1) -> float:
    """Return the product of the layers' norms in a row, positive as norms are.

    Args:
        run: Of any parametrization; a rho that is a parameter may be negative.
        at: Place of the row.
    """
    value = run.rows[at]["rho"]
    return float("nan") if value is None else abs(float(value))


def normalized_margins(
    bench: Bench, recipe: Recipe, raw: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> dict[str, float]:
    """Return what the toolkit says of margins of a run's last epoch.

    Args:
        bench: With the run.
        recipe: Of the run.
        raw: (n,) margins y f, not divided by rho.

    Returns:
        ``mean`` and ``deviation`` of y f / rho, and ``raw_deviation`` of y f; NaN for a
        net that is zero.
    """
    rho = rho_of(bench.runs[recipe])
    if not 0 < rho < np.inf:
        return dict.fromkeys(("mean", "deviation", "raw_deviation"), float("nan"))
    found = margin_summary(raw, float(np.log10(rho)), recipe.decay)
    own = found["normalized"]
    return {
        "mean": own["mean"],
        "deviation": own["variance"] ** 0.5,
        "raw_deviation": found["variance"] ** 0.5,
    }


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard error; the latter NaN for less than two values."""
    if not values:
        return float("nan"), float("nan")
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan")
    return mean, float(np.std(values, ddof=1) / len(values) ** 0.5)
