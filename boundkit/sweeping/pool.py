"""Checkpoints analyzed by processes on this machine; one that dies takes one with it."""

from __future__ import annotations

import selectors
from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from boundkit.errors import BoundkitError, DataError, ModelError, UsageError
from boundkit.sweeping.crew import Worker, cores
from boundkit.sweeping.outcome import FAILED, Outcome
from boundkit.sweeping.settings import refuse_to_write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from boundkit.sweeping.outcome import Task

__all__ = ["run"]

#: Seconds between looks at processes whose output somebody else holds open.
_LOOK = 2.0


def run(
    tasks: Sequence[Task],
    options: Mapping[str, Any],
    digest: str,
    folder: Path,
    jobs: int,
) -> Iterator[Outcome]:
    """Analyze checkpoints in processes of their own, results written there.

    A checkpoint whose worker dies is tried once more at the end, alone, since it may
    have lacked memory; if that one dies, too, the checkpoint has failed.

    Args:
        tasks: What to look at.
        options: Of the analysis, plain values.
        digest: Of the options.
        folder: Of the results.
        jobs: Workers at once.

    Yields:
        Outcomes, as they come.

    Raises:
        BoundkitError: The model or the data do not load, or workers do not start.
        UsageError: A result cannot be written.
    """
    setup = {"options": dict(options), "digest": digest, "folder": str(folder)}
    crew = _Crew(setup, max(1, cores() // jobs), folder)
    again: list[Task] = []
    for task, outcome in crew.work(deque(tasks), jobs):
        if isinstance(outcome, Outcome):
            yield outcome
        else:
            again.append(task)
    for task, outcome in crew.work(deque(again), 1):
        if isinstance(outcome, Outcome):
            yield outcome
            continue
        reason = (
            f"its worker process was {outcome}, twice, probably for lack of memory; "
            "analyze it on a larger machine"
        )
        yield Outcome(task.where, FAILED, reason)


class _Crew:
    """Workers at one job, replaced when they die."""

    def __init__(self, setup: dict[str, Any], threads: int, folder: Path) -> None:
        self._setup = setup
        self._threads = threads
        self._folder = folder

    def work(
        self, queue: deque[Task], jobs: int
    ) -> Iterator[tuple[Task, Outcome | str]]:
        """Iterate over tasks and their outcomes, or why their worker ended.

        Raises:
            BoundkitError: Workers do not start, or model or data do not load in them.
        """  # noqa: DOC501 - _no_start makes it
        stillborn = 0
        with ExitStack() as stack:
            chosen = stack.enter_context(selectors.DefaultSelector())
            crew: dict[int, Worker] = {}
            stack.callback(_end, crew)
            while queue or any(worker.task for worker in crew.values()):
                while len(crew) < jobs and _idle(crew) < len(queue):
                    worker = Worker(self._setup, self._threads)
                    crew[worker.output] = worker
                    chosen.register(worker.output, selectors.EVENT_READ)
                for worker, answers in _heard(chosen, crew):
                    if answers is None:
                        chosen.unregister(worker.output)
                        del crew[worker.output]
                        why = worker.end(patience=5)
                        stillborn = 0 if worker.ready else stillborn + 1
                        if stillborn > 1:
                            raise _no_start(why)
                        if worker.task is not None:
                            yield worker.task, why
                        continue
                    for kind, content in answers:
                        if found := self._answered(worker, kind, content):
                            yield found
                        if queue and worker.task is None:
                            worker.give(queue.popleft())

    def _answered(
        self, worker: Worker, kind: str, content: Any
    ) -> tuple[Task, Outcome] | None:
        worker.ready = True
        task, worker.task = worker.task, None
        if kind == "refused":
            raise _refusal(*content)
        if kind == "stop":
            refuse_to_write(self._folder, OSError(*content))
        if kind == "ready" or task is None:
            return None
        fresh = content.pop("fresh")
        return task, Outcome.of(content, fresh=fresh)


def _heard(
    chosen: selectors.BaseSelector, crew: Mapping[int, Worker]
) -> Iterator[tuple[Worker, Any]]:
    """Wait, then iterate over workers with what they answered; None if they ended."""
    events = chosen.select(_LOOK)
    for key, _ in events:
        worker = crew[key.fd]
        yield worker, worker.answers()
    if not events:
        for worker in [worker for worker in crew.values() if worker.ended()]:
            yield worker, None


def _idle(crew: Mapping[int, Worker]) -> int:
    return sum(worker.task is None for worker in crew.values())


def _end(crew: Mapping[int, Worker]) -> None:
    for worker in crew.values():
        worker.end(patience=0)


def _refusal(kind: str, message: str) -> BoundkitError:
    """Return the error that a worker met when it loaded the model and the data."""
    known = {"UsageError": UsageError, "ModelError": ModelError, "DataError": DataError}
    return known.get(kind, BoundkitError)(message)


def _no_start(why: str) -> BoundkitError:
    return BoundkitError(
        f"worker processes do not start: {why}; check that `python -m "
        "boundkit.sweeping.worker` runs here"
    )
