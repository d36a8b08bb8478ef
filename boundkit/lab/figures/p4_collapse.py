"""P4, figures 1 and 3 to 8: neural collapse without weight decay.

Ji, Lu, Zhang, Deng, Su (2022), section 4 and appendix D.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from boundkit.lab.exhibit import Bench, Outcome, PaperFigure
from boundkit.lab.figures.ji2022_metrics import METRICS, decreases, metrics_figure
from boundkit.lab.figures.ji2022_runs import DEPARTURES, recipe_of
from boundkit.lab.figures.stand_in import data_note, in_place
from boundkit.lab.measuring import collapse_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from boundkit.lab.recipe import Recipe

__all__ = ["P4_COLLAPSE"]

_TITLES = {"resnet18": "ResNet18", "vgg13": "VGG13"}
_MINUTES = {"resnet18": 1.9, "vgg13": 0.8}
_EXCEPTED = (
    "the paper itself says that the variation of the classifiers' norms stays low and does"
    " not decrease in some settings, such as figures 7a and 8a"
)
_MISPRINT = (
    "the paper's caption says VGG18; its appendix says that all VGG nets are VGG13"
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One figure: its number, the net and the data sets."""

    number: int
    net: str
    data: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{_TITLES[self.net]} on {' and '.join(self.data)}, no weight decay"


_KINDS = (
    _Kind(1, "resnet18", ("MNIST", "CIFAR-10")),
    _Kind(3, "vgg13", ("CIFAR-10",)),
    _Kind(4, "vgg13", ("MNIST",)),
    _Kind(5, "vgg13", ("KMNIST",)),
    _Kind(6, "resnet18", ("KMNIST",)),
    _Kind(7, "vgg13", ("Fashion-MNIST",)),
    _Kind(8, "resnet18", ("Fashion-MNIST",)),
)


def _recipes(scale: str, *, kind: _Kind) -> tuple[Recipe, ...]:
    return (recipe_of(scale, kind.net),)


def _measure(bench: Bench, *, kind: _Kind) -> Outcome:
    recipe = recipe_of(bench.scale, kind.net)
    run = bench.runs[recipe]
    found = [collapse_of(bench, recipe, epoch) for epoch in run.epochs]
    lines: dict[str, list[Any]] = {"epoch": list(run.epochs)}
    lines |= {name: [one[name] for one in found] for name in METRICS}
    notes = (*DEPARTURES[bench.scale], data_note(bench.images, kind.data), _EXCEPTED)
    return Outcome(
        claims=tuple(
            replace(claim, measured=in_place(bench.images, kind.data) + claim.measured)
            for claim in (
                decreases(name, lines["epoch"], lines[name], "epoch")
                for name in METRICS
            )
        ),
        tables={
            "main": tuple(
                {
                    "epoch": row["epoch"],
                    "loss": row["loss"],
                    "train_error": row["train_error"],
                    "test_error": row["test_error"],
                }
                | {name: lines[name][at] for name in METRICS}
                for at, row in enumerate(run.rows)
            )
        },
        series=lines,
        notes=(*notes, _MISPRINT) if kind.number == 5 else notes,
    )


def _draw(outcome: Outcome, *, kind: _Kind) -> Figure:
    title = f"{_TITLES[kind.net]} without weight decay"
    return metrics_figure(
        outcome.series,
        "epoch",
        title,
        f"P4, figure {kind.number} ({', '.join(kind.data)})",
    )


P4_COLLAPSE = tuple(
    PaperFigure(
        name=f"p4-fig{kind.number}",
        paper="P4",
        title=kind.title,
        claims=("all four metrics of neural collapse decrease without weight decay",),
        needs=f"{' or '.join(kind.data)}, or other images of ten classes in its place",
        minutes=_MINUTES[kind.net],
        recipes=partial(_recipes, kind=kind),
        measure=partial(_measure, kind=kind),
        draw=partial(_draw, kind=kind),
    )
    for kind in _KINDS
)
