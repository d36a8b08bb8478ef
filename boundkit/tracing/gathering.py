"""Analyze the checkpoints of a run: by the workers of a sweep, or in this process."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from boundkit import arguments
from boundkit.errors import Empty, Unreadable, UsageError
from boundkit.sweeping.examine import Prepared, examine, prepared
from boundkit.sweeping.outcome import Task
from boundkit.sweeping.remote import is_url
from boundkit.sweeping.settings import stored
from boundkit.sweeping.sources import found
from boundkit.sweeping.store import journal, read_sources, result_path
from boundkit.sweeping.sweep import sweep
from boundkit.tracing.order import require_order
from boundkit.tracing.points import FAILED, Point, read_point

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from boundkit.sweeping.sources import Source

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["gathered", "is_swept", "of_folder"]

_OBJECTS = ("model", "data", "test_data", "init")


def is_swept(sources: Any) -> bool:
    """Say whether sources are one folder of a sweep's results.

    Args:
        sources: As the user gave them.
    """
    if isinstance(sources, list | tuple) and len(sources) == 1:
        sources = sources[0]
    if not isinstance(sources, str | os.PathLike):
        return False
    return Path(sources, "sweep.json").is_file()


def of_folder(folder: Path, wanted: Sequence[str] | None = None) -> tuple[Point, ...]:
    """Return the checkpoints of a sweep, from its results.

    Args:
        folder: Of the sweep.
        wanted: Where those lie that are asked for; None for all.

    Raises:
        UsageError: It is no folder of results, or damaged.
    """
    stored(folder)
    entries = journal(folder)
    chosen = None if wanted is None else set(wanted)
    return tuple(
        _of_entry(folder, one, entries.get(one.where))
        for one in read_sources(folder)
        if chosen is None or one.where in chosen
    )


def _of_entry(folder: Path, source: Source, entry: Mapping[str, Any] | None) -> Point:
    again = "run the sweep again"
    if entry is None:
        reason = f"not looked at yet: {again}"
        return Point(source.path, FAILED, reason, carried=source.columns)
    if entry["key"] is None:
        return Point(source.path, FAILED, entry["reason"], carried=source.columns)
    path = result_path(folder, entry["key"])
    try:
        result = json.loads(path.read_bytes())
        return read_point(source.path, source.columns, result)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = (
            f"its result {path.name} is damaged ({type(error).__name__}): delete it and "
            f"{again}"
        )
        return Point(source.path, FAILED, reason, carried=source.columns)


def gathered(
    sources: Any,
    out: str | os.PathLike[str] | None,
    options: Mapping[str, Any],
    by: str,
    jobs: int | None,
    progress: Progress,
) -> tuple[tuple[Point, ...], tuple[str, ...]]:
    """Analyze checkpoints, each with model and data that are loaded once.

    Args:
        sources: As ``boundkit.sweep`` takes them.
        out: Folder that keeps results, or None.
        options: Of ``boundkit.analyze``; model and data may be objects where ``out`` is
            None.
        by: What orders them.
        jobs: Processes at once; 1 is this one, where ``out`` is None.
        progress: Called with the number done, the total and a label.

    Returns:
        The checkpoints in the order of the sources, and lines about the sources.

    Raises:
        BoundkitError: The model or the data cannot be loaded.
        Empty: The sources hold no checkpoint.
        Unreadable: There is nothing of that name.
        UsageError: An argument makes no sense, or there is one checkpoint only.
    """
    objects = [n for n in _OBJECTS if not isinstance(options[n], str | None)]
    if objects and out is not None:
        raise UsageError(
            f"{objects[0]} must be a SPEC where out is given, such as "
            "'file.py:callable', so that results can be told apart, but got "
            f"{type(options[objects[0]]).__name__}"
        )
    named, notices = found(sources)
    _require_several(named, notices)
    require_order(named, by)
    if objects or (jobs == 1 and out is None):
        return _here(named, options, progress), notices
    rows = [{**one.columns, "path": one.path} for one in named]
    wanted = [one.where for one in named]
    if out is not None:
        sweep(rows, out, **options, jobs=jobs, progress=progress)
        return of_folder(Path(out), wanted), notices
    with TemporaryDirectory(prefix="boundkit-trace-") as folder:
        sweep(rows, folder, **options, jobs=jobs, progress=progress)
        return of_folder(Path(folder), wanted), notices


def _require_several(named: Sequence[Source], notices: Sequence[str]) -> None:
    if not named:
        raise Empty(
            "run",
            "there is no checkpoint" + "".join(f" ({one})" for one in notices[:1]),
            "name the folder, a pattern such as 'run/*.pt', or a manifest",
        )
    if len(named) == 1:
        where = named[0].where
        if not is_url(where) and not Path(where).exists():
            remedy = "name the folder of the run, or a pattern such as 'run/*.pt'"
            raise Unreadable(named[0].path, "there is no such file or folder", remedy)
        raise UsageError(
            f"a trace needs two checkpoints of a run or more, but {named[0].path!r} is "
            "alone; boundkit analyze is for one"
        )


def _here(
    named: Sequence[Source], options: Mapping[str, Any], progress: Progress
) -> tuple[Point, ...]:
    ready = _ready(options)
    points = []
    for done, source in enumerate(named, 1):
        outcome = examine(Task(source.where, source.path), ready, lambda _key: False)
        if outcome.text is None:
            failed = Point(source.path, FAILED, outcome.reason, carried=source.columns)
            points.append(failed)
        else:
            result = json.loads(outcome.text)
            points.append(read_point(source.path, source.columns, result))
        if progress is not None:
            progress(done, len(named), f"{done:,} of {len(named):,} checkpoints")
    return tuple(points)


def _ready(options: Mapping[str, Any]) -> Prepared:
    arguments.wanted_parts(options["only"])
    arguments.wanted_margin(options["gamma"])
    names = ("model", "data", "test_data", "n", "input_norm", "delta", "batch_size")
    arguments.require_sense(
        **{name: options[name] for name in names}, confidence=options["confidence"]
    )
    model = options["model"]
    given = None if isinstance(model, str) else model
    ready = prepared(options if given is None else {**options, "model": None}, "")
    recorded = {
        name: arguments.named(value) for name, value in ready.conventions.items()
    }
    loaded = dict(ready.arguments) | ({} if given is None else {"model": given})
    return replace(ready, arguments=loaded, conventions=recorded)
