"""What a figure of a paper is to this program: trainings, a measurement, a drawing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

    from boundkit.lab.data import Images
    from boundkit.lab.recipe import Recipe
    from boundkit.lab.runs import Run

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["SCALES", "Bench", "Claimed", "Outcome", "PaperFigure"]

#: ``small`` for two CPU cores, ``paper`` for the paper's sizes, ``test`` for seconds.
SCALES = ("small", "paper", "test")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim of a paper, and what was found.

    Attributes:
        claim: As the paper says it.
        measured: What was found, in numbers.
        holds: Whether it shows here; None where that cannot be told.
        reason: Why it does not show, or cannot be told; may be empty where it holds.
    """

    claim: str
    measured: str
    holds: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a figure shows, in JSON's own types.

    Attributes:
        claims: One or more.
        tables: Rows by name; those of ``"main"`` become the .csv.
        series: What is drawn.
        notes: What differs from the paper's experiment, a sentence each.
        undefined: What is not finite, such as a training that diverged, one line each.
    """

    claims: tuple[Claimed, ...]
    tables: Mapping[str, tuple[Mapping[str, Any], ...]]
    series: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    undefined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What a measurement works with.

    Attributes:
        scale: One of ``SCALES``.
        runs: The trainings that the figure asked for, all of them ended.
        images: The data set.
        folder: Of all results; a figure may keep files of its own in ``work/NAME``.
        device: Where to compute.
        progress: Called with what is done, of how many, and a label; or None.
    """

    scale: str
    runs: Mapping[Recipe, Run]
    images: Images
    folder: Path
    device: str = "cpu"
    progress: Progress = None


@dataclass(frozen=True, slots=True)
class PaperFigure:
    """An entry of the catalog of figures.

    Attributes:
        name: By which it is asked for, such as ``"p1-fig3"``.
        paper: ``"P0"`` to ``"P4"``.
        title: What it shows.
        claims: What the paper says that it shows, in short.
        needs: Data and whatever else it cannot do without.
        minutes: CPU minutes at scale small, measured on two cores; None if never.
        recipes: Scale -> trainings.
        measure: Bench -> outcome.
        draw: Outcome -> figure; may have gone through JSON.
    """

    name: str
    paper: str
    title: str
    claims: tuple[str, ...]
    needs: str
    minutes: float | None
    recipes: Callable[[str], tuple[Recipe, ...]] = field(repr=False)
    measure: Callable[[Bench], Outcome] = field(repr=False)
    draw: Callable[[Outcome], Figure] = field(repr=False)
