"""Training a net as a recipe says, with checkpoints; goes on where it was killed."""

from __future__ import annotations

import io
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from boundkit.errors import DataError
from boundkit.lab.evaluation import measured, placed
from boundkit.lab.learner import Learner, advance, begun, materialized
from boundkit.lab.runs import (
    checkpoint_name,
    ended,
    finished,
    is_done,
    prepared,
    recipe_task,
)
from boundkit.lab.schedule import rate_at
from boundkit.measure.forward import resolved
from boundkit.sweeping.atomic import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from boundkit.lab.data import Images
    from boundkit.lab.evaluation import Sample
    from boundkit.lab.recipe import Recipe
    from boundkit.lab.runs import Run

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["train"]

#: Seconds after which a state to go on from is kept between recorded epochs.
_PATIENCE = 20.0
_STATE = ".resume"


@dataclass(slots=True, eq=False)
class _Course:
    """Where a run is: the next epoch, batches to come, lines so far, CPU time."""

    learner: Learner
    batches: torch.Generator
    epoch: int
    lines: list[str]
    seconds: float


def train(
    recipe: Recipe,
    images: Images,
    folder: Path,
    *,
    device: str = "cpu",
    progress: Progress = None,
) -> Run:
    """Train a net and keep weights and measurements, or go on with it, or find it done.

    On the same machine the same recipe gives the same bytes, whether it was interrupted
    or not; on a CPU it runs in one thread, which is also the fastest for small nets. A
    loss that is not finite ends the run; what came before is kept.

    Args:
        recipe: What to do.
        images: What with.
        folder: Of this run alone.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        progress: Called with epochs done, their number, and a label.

    Returns:
        The run that has ended.

    Raises:
        DataError: What an earlier attempt left cannot be read.
        UsageError: The data do not hold what the recipe asks for, the net does not fit
            the images, or the device is not there.
    """
    if is_done(folder):
        return finished(folder)
    where = resolved(device)
    task = recipe_task(recipe, images)
    prepared(folder, recipe, images, task.shape)
    own, held_out = placed(task, recipe, where)
    course = _started(recipe, task.shape, where, folder)
    strict = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    with strict, _one_thread():
        diverged = _followed(course, own, held_out, folder, progress)
    ended(folder, diverged, course.seconds, str(where))
    (folder / _STATE).unlink(missing_ok=True)
    return finished(folder)


@contextmanager
def _one_thread() -> Generator[None]:
    """Run a block with one thread, whose sums do not depend on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _started(
    recipe: Recipe, shape: tuple[int, int, int], where: torch.device, folder: Path
) -> _Course:
    learner = begun(recipe, shape, where)
    batches = torch.Generator().manual_seed(recipe.seed + 1)
    course = _Course(learner, batches, 0, [], 0.0)
    path = folder / _STATE
    if path.is_file():
        _restore(course, path)
    return course


def _restore(course: _Course, path: Path) -> None:
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        course.learner.restore(state["learner"])
        course.batches.set_state(state["batches"])
        course.epoch, course.lines = state["epoch"], state["lines"]
        course.seconds = state["seconds"]
    except Exception as error:
        raise DataError(
            f"{path}: the run cannot be continued from it ({type(error).__name__}); delete"
            " the run's folder to train anew"
        ) from error


def _followed(
    course: _Course, own: Sample, held_out: Sample, folder: Path, progress: Progress
) -> int | None:
    """Go through the epochs; return the one in which the loss stopped being finite."""
    recipe = course.learner.recipe
    recorded = set(recipe.recorded)
    began, kept = time.process_time() - course.seconds, time.monotonic()
    if not course.lines:
        _record(course, own, held_out, folder)
    while course.epoch < recipe.epochs:
        loss = _pass(course, own)
        course.epoch += 1
        sound = bool(loss.isfinite())
        keeping = course.epoch in recorded or not sound
        if keeping:
            _record(course, own, held_out, folder)
        course.seconds = time.process_time() - began
        if keeping or time.monotonic() - kept > _PATIENCE:
            _keep(course, folder)
            kept = time.monotonic()
        if progress is not None:
            progress(course.epoch, recipe.epochs, f"epoch {course.epoch:,}")
        if not sound:
            return course.epoch
    course.seconds = time.process_time() - began
    return None


def _pass(course: _Course, own: Sample) -> torch.Tensor:
    """Go through the sample once; return the mean loss of its batches, on the device."""
    recipe = course.learner.recipe
    rate = rate_at(course.epoch, recipe.epochs, recipe.rate, recipe.schedule)
    order = torch.randperm(recipe.n, generator=course.batches).to(own.x.device)
    steps = recipe.n // recipe.batch
    total = torch.zeros((), device=own.x.device)
    for rows in torch.split(order[: steps * recipe.batch], recipe.batch):
        total += advance(course.learner, own.x[rows], own.wanted[rows], rate)
    return total / steps


def _record(course: _Course, own: Sample, held_out: Sample, folder: Path) -> None:
    learner, recipe = course.learner, course.learner.recipe
    last = max(course.epoch - 1, 0)
    rate = rate_at(last, recipe.epochs, recipe.rate, recipe.schedule)
    row = {"epoch": course.epoch, "rate": rate} | measured(learner, own, held_out)
    course.lines.append(json.dumps(row, allow_nan=False))
    stored = {
        "epoch": course.epoch,
        "rho": float(row["rho"]) if row["rho"] is not None else None,
        "state_dict": materialized(learner),
    }
    write_whole(folder / checkpoint_name(course.epoch), _packed(stored))
    text = "".join(f"{line}\n" for line in course.lines)
    write_whole(folder / "metrics.jsonl", text.encode())


def _keep(course: _Course, folder: Path) -> None:
    state = {
        "learner": course.learner.state(),
        "batches": course.batches.get_state(),
        "epoch": course.epoch,
        "lines": course.lines,
        "seconds": course.seconds,
    }
    write_whole(folder / _STATE, _packed(state))


def _packed(state: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()
