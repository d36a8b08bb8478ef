"""Reproduce figures: train what is missing, measure, draw, write."""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.errors import DataError, UsageError
from boundkit.lab.data import open_images
from boundkit.lab.documents import Reproduction, read, to_csv, to_json
from boundkit.lab.exhibit import SCALES, Bench
from boundkit.lab.figures import chosen
from boundkit.lab.page import write_pages
from boundkit.lab.training import train
from boundkit.plot.saving import save
from boundkit.sweeping.atomic import write_whole

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from boundkit.lab.data import Images
    from boundkit.lab.exhibit import Outcome, PaperFigure
    from boundkit.lab.recipe import Recipe
    from boundkit.lab.runs import Run

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["reproduce"]


def reproduce(
    figure: str | Sequence[str],
    scale: str = "small",
    data: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] = "reproduced",
    *,
    device: str = "cpu",
    progress: Progress = None,
) -> tuple[Reproduction, ...]:
    """Train small nets and redraw figures of the papers, claim by claim.

    What is there already is not done again: equal trainings are shared among figures,
    and an interrupted one goes on where it was.

    Args:
        figure: Name of a figure, several, or ``"all"``.
        scale: ``"small"``, minutes on two cores; ``"paper"``, the paper's own sizes.
        data: Folder or .npz of images; None for Fashion-MNIST where it usually is.
        out: Folder of the results; ``index.html`` in it shows all of them.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        progress: Called with what is done, of how many, and a label.

    Returns:
        One result a figure, in the order asked for.

    Raises:
        DataError: The images, or what an earlier run left, cannot be read.
        UsageError: There is no such figure, scale or device, or ``out`` cannot be written.
    """
    figures = chosen(figure)
    if scale not in SCALES:
        raise UsageError(f"scale must be small or paper, but got {scale!r}")
    images = open_images(data)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = []
        for each in figures:
            found.append(_reproduced(each, scale, images, folder, device, progress))
            write_pages(folder)
    except OSError as error:
        raise UsageError(
            f"cannot write to '{error.filename or folder}': {error.strerror or error};"
            " choose another folder"
        ) from error
    return tuple(found)


def _reproduced(
    figure: PaperFigure,
    scale: str,
    images: Images,
    folder: Path,
    device: str,
    progress: Progress,
) -> Reproduction:
    path = folder / f"{figure.name}.json"
    recipes = tuple(dict.fromkeys(figure.recipes(scale)))
    settings = _settings(figure, scale, images, recipes)
    earlier = _earlier(path, settings)
    if earlier is not None:
        return earlier
    runs = _trained(figure, recipes, images, folder, device, progress)
    began = time.process_time()
    bench = Bench(scale, runs, images, folder, device, progress)
    outcome = figure.measure(bench)
    seconds = time.process_time() - began + sum(run.seconds for run in runs.values())
    found = Reproduction(
        figure=figure.name,
        paper=figure.paper,
        title=figure.title,
        scale=scale,
        settings=settings,
        images=images.source,
        device=device,
        outcome=_with_divergence(outcome, runs),
        runs=tuple(_about(run) for run in runs.values()),
        seconds=round(seconds, 1),
        path=path,
        fresh=True,
    )
    save({figure.name: figure.draw(found.outcome)}, folder)
    write_whole(folder / f"{figure.name}.csv", to_csv(outcome.tables["main"]))
    # Last, because it says that the others are there.
    write_whole(path, to_json(found))
    return found


def _settings(
    figure: PaperFigure, scale: str, images: Images, recipes: Sequence[Recipe]
) -> str:
    """Return a digest of version, scale, trainings and the figure's code."""
    from boundkit import __version__

    rule = getattr(figure.measure, "func", figure.measure)
    # How long it took somewhere decides nothing.
    code = re.sub(r"minutes=[^,\n]*", "", _code_of(rule.__module__))
    text = "\n".join([
        __version__,
        scale,
        images.digest,
        code,
        *(recipe.key(images.digest) for recipe in recipes),
    ])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _code_of(name: str) -> str:
    """Return the source of a figure's module and of those it shares with others."""
    wanted, found = [name], dict[str, str]()
    while wanted:
        module = sys.modules[wanted.pop()]
        found[module.__name__] = inspect.getsource(module)
        used = {getattr(each, "__module__", None) for each in vars(module).values()}
        wanted += sorted(
            each
            for each in used - set(found)
            if isinstance(each, str) and each.startswith(f"{chosen.__module__}.")
        )
    return "\n".join(found[each] for each in sorted(found))


def _earlier(path: Path, settings: str) -> Reproduction | None:
    if not all(path.with_suffix(end).is_file() for end in (".json", ".csv", ".png")):
        return None
    try:
        found = read(path)
    except DataError:
        return None
    return found if found.settings == settings else None


def _trained(
    figure: PaperFigure,
    recipes: Sequence[Recipe],
    images: Images,
    folder: Path,
    device: str,
    progress: Progress,
) -> dict[Recipe, Run]:
    epochs = sum(recipe.epochs for recipe in recipes)
    done = 0
    runs = {}
    for at, recipe in enumerate(recipes, start=1):
        label = f"{figure.name}: training {at} of {len(recipes)}"
        step = None if progress is None else _shifted(progress, done, epochs, label)
        place = folder / "runs" / recipe.key(images.digest)
        runs[recipe] = train(recipe, images, place, device=device, progress=step)
        done += recipe.epochs
    return runs


def _shifted(
    progress: Callable[[int, int | None, str], None],
    before: int,
    total: int,
    label: str,
) -> Callable[[int, int | None, str], None]:
    return lambda done, _of, _what: progress(before + done, total, label)


def _with_divergence(outcome: Outcome, runs: dict[Recipe, Run]) -> Outcome:
    from dataclasses import replace

    lost = [
        f"training {run.folder.name} diverged in epoch {run.diverged}"
        for run in runs.values()
        if run.diverged is not None
    ]
    return replace(outcome, undefined=(*outcome.undefined, *lost))


def _about(run: Run) -> dict[str, Any]:
    return {
        "folder": f"runs/{run.folder.name}",
        "net": run.recipe.net,
        "epochs": run.epochs[-1],
        "cpu_seconds": run.seconds,
        "diverged": run.diverged,
    }
