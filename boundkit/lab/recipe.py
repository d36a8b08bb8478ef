"""Everything that decides a training run, apart from the images themselves."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from boundkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Recipe", "from_json", "milestones"]

Loss = Literal["square", "cross-entropy"]
Coding = Literal["signed", "one-hot", "centered"]
Parametrization = Literal["plain", "lagrange", "weight"]
Schedule = Literal["constant", "cosine", "step"]
Decayed = Literal["rho", "layers"]
Start = Literal["scaled", "norm"]
Preprocessing = Literal["unit", "standard"]

#: Raised when training changes what a recipe gives, so that old runs are not reused.
_EDITION = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training run of a net on images.

    Attributes:
        net: Name of the architecture.
        epochs: Passes over the sample.
        width: Factor of the net's hidden widths.
        loss: ``"square"``, the mean over samples of the squared errors summed over
            outputs, P1 (1); or ``"cross-entropy"``.
        coding: Targets of the square loss: ``"signed"``, one output and -1/+1;
            ``"one-hot"``; or ``"centered"``, 1 and -1/(C - 1).
        parametrization: ``"plain"``; ``"lagrange"``, unit Frobenius norms by projection
            and a factor rho on top; ``"weight"``, weight normalization with frozen g
            and that factor.
        rate: Of SGD.
        schedule: Of the rate: ``"constant"``, ``"cosine"`` down to 0, or ``"step"``, a
            tenth after a third and again after two thirds of the epochs.
        momentum: Of SGD.
        decay: Weight decay lam.
        decay_on: ``"rho"`` adds lam rho^2 to the loss, P1 (1); ``"layers"`` adds lam/2
            times the squares of all weights, as torch's optimizers do.
        init: Scale of the initial weights.
        init_kind: ``"scaled"``, init times normal weights of variance 2 / fan-in (1 /
            fan-in in the last layer); ``"norm"``, every layer has this Frobenius norm.
        noise: Share of the training labels that are drawn anew.
        classes: Labels of the data set, two or more.
        n: Training samples, the same number of each class.
        n_test: Test samples, the same number of each class.
        preprocessing: ``"unit"``, each image over its norm; ``"standard"``, all pixels
            less their mean, over their deviation.
        pooling: Side of the squares of pixels that become their mean.
        batch: Samples of a step; what is left over at the end of a pass is not used.
        record: Epochs after which weights and measurements are kept, beside 0 and the
            last.
        seed: Of initial weights, batches and noise.
    """

    net: str
    epochs: int
    width: float = 1.0
    loss: Loss = "square"
    coding: Coding = "signed"
    parametrization: Parametrization = "plain"
    rate: float = 0.03
    schedule: Schedule = "constant"
    momentum: float = 0.9
    decay: float = 0.0
    decay_on: Decayed = "layers"
    init: float = 1.0
    init_kind: Start = "scaled"
    noise: float = 0.0
    classes: tuple[int, ...] = (0, 1)
    n: int = 1000
    n_test: int = 1000
    preprocessing: Preprocessing = "unit"
    pooling: int = 1
    batch: int = 128
    record: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that make no sense.

        Raises:
            UsageError: One is out of its range, or contradicts another.
        """
        _require_words(self)
        _require_numbers(self)
        _require_fit(self)

    @property
    def outputs(self) -> int:
        """Scores of the net: one for signed targets, else one per class."""
        square = self.loss == "square"
        return 1 if square and self.coding == "signed" else len(self.classes)

    @property
    def recorded(self) -> tuple[int, ...]:
        """Epochs after which weights and measurements are kept, from 0 to the last."""
        return tuple(sorted({0, self.epochs, *self.record}))

    def canonical(self) -> str:
        """Return the settings as JSON, the same for equal recipes."""
        return json.dumps(asdict(self), sort_keys=True)

    def key(self, digest: str) -> str:
        """Return the name of the run's folder, 16 hexadecimal digits.

        Args:
            digest: Of the images.
        """
        text = f"{_EDITION} {digest} {self.canonical()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def from_json(table: Mapping[str, Any]) -> Recipe:
    """Return the recipe that was written as JSON.

    Args:
        table: Name -> setting.

    Raises:
        UsageError: It is not one, or one that makes no sense.
    """
    names = {each.name for each in fields(Recipe)}
    unknown = sorted(set(table) - names)
    if unknown or not {"net", "epochs"} <= set(table):
        raise UsageError(
            f"a recipe has settings {sorted(names)}, but got {sorted(table)}"
        )
    lists = {
        name: tuple(table[name]) for name in ("classes", "record") if name in table
    }
    return Recipe(**{**table, **lists})


def milestones(epochs: int, count: int) -> tuple[int, ...]:
    """Return epochs to record: 0, then growing by a constant factor, and the last.

    Args:
        epochs: Of the run.
        count: Of them at most, 2 or more.
    """
    steps = max(count - 2, 1)
    grown = {round(epochs ** (step / steps)) for step in range(steps + 1)}
    return tuple(sorted({0, epochs, *grown}))


def _require_words(recipe: Recipe) -> None:
    for name, known in (
        ("loss", get_args(Loss)),
        ("coding", get_args(Coding)),
        ("parametrization", get_args(Parametrization)),
        ("schedule", get_args(Schedule)),
        ("decay_on", get_args(Decayed)),
        ("init_kind", get_args(Start)),
        ("preprocessing", get_args(Preprocessing)),
    ):
        word = getattr(recipe, name)
        if word not in known:
            raise UsageError(
                f"{name} must be among {', '.join(known)}, but got {word!r}"
            )


def _require_numbers(recipe: Recipe) -> None:
    for name in ("rate", "init", "width"):
        value = getattr(recipe, name)
        if not 0 < value < math.inf:
            raise UsageError(f"{name} must be positive and finite, but got {value!r}")
    if not 0 <= recipe.decay < math.inf:
        raise UsageError(
            f"decay must be at least 0 and finite, but got {recipe.decay!r}"
        )
    if not 0 <= recipe.momentum < 1:
        raise UsageError(f"momentum must lie in [0, 1), but got {recipe.momentum!r}")
    if not 0 <= recipe.noise <= 1:
        raise UsageError(f"noise must lie in [0, 1], but got {recipe.noise!r}")
    for name in ("epochs", "batch", "pooling", "n", "n_test"):
        value = getattr(recipe, name)
        if value < 1:
            raise UsageError(f"{name} must be at least 1, but got {value!r}")


def _require_fit(recipe: Recipe) -> None:
    count = len(recipe.classes)
    if count < 2 or len(set(recipe.classes)) < count:
        raise UsageError(
            f"classes must be two or more different labels, but got {recipe.classes!r}"
        )
    for name in ("n", "n_test"):
        value = getattr(recipe, name)
        if value % count:
            raise UsageError(
                f"{name} must be a multiple of the {count} classes, but got {value}"
            )
    if recipe.outputs == 1 and count != 2:
        raise UsageError(f"signed targets need two classes, but got {count}")
    if recipe.batch > recipe.n:
        raise UsageError(
            f"batch must be at most n = {recipe.n}, but got {recipe.batch}"
        )
    if any(not 0 <= epoch <= recipe.epochs for epoch in recipe.record):
        raise UsageError(
            f"record must be epochs from 0 to {recipe.epochs}, but got {recipe.record!r}"
        )
    normalized = recipe.parametrization != "plain"
    if normalized and recipe.decay and recipe.decay_on == "layers":
        raise UsageError(
            f"decay of layers does nothing to the unit norms of {recipe.parametrization!r};"
            " use decay_on='rho'"
        )
