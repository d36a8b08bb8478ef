"""Analyze many checkpoints: the story on one page."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from boundkit import arguments
from boundkit.errors import Empty, UsageError
from boundkit.sweeping import cluster, pool
from boundkit.sweeping.crew import crew_size
from boundkit.sweeping.identity import signature, spec_digest
from boundkit.sweeping.outcome import FAILED, Outcome, Task
from boundkit.sweeping.remote import is_url
from boundkit.sweeping.settings import refuse_to_write
from boundkit.sweeping.sources import found
from boundkit.sweeping.store import opened, read_sources
from boundkit.sweeping.table import frame_of, write_tables

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

    from boundkit.sweeping.sources import Source
    from boundkit.sweeping.store import Store

    Progress = Callable[[int, int | None, str], None] | None

__all__ = ["sweep"]


def sweep(
    sources: Any,
    out: str | os.PathLike[str] | None = None,
    *,
    model: str | None = None,
    data: str | None = None,
    test_data: str | None = None,
    n: int | None = None,
    input_norm: float = 1.0,
    input_shape: Sequence[int] | None = None,
    delta: float = 0.05,
    gamma: float | Literal["auto"] = "auto",
    confidence: Literal["empirical", "normalized"] = "empirical",
    loss: str | None = None,
    weight_decay: float | None = None,
    only: Sequence[str] | None = None,
    device: str = "auto",
    batch_size: int = 256,
    key: str | None = None,
    trust: bool = False,
    init: str | None = None,
    head: str | None = None,
    spectra: str = "auto",
    sgd_batch: int | None = None,
    learning_rate: float | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    progress: Progress = None,
) -> pd.DataFrame:
    """Analyze many checkpoints, each once, and return one row for each.

    Results are kept in ``out`` as they come. Called again, whatever happened meanwhile,
    it looks only at what is new or has changed. A checkpoint that cannot be analyzed is
    a row with its reason.

    Args:
        sources: Paths, patterns, folders, URLs, manifests (CSV, TSV, JSONL with a column
            ``path``), mappings or a frame with ``path`` and other columns; one or many.
        out: Folder of the results; None for one that is removed in the end.
        model: ``"pkg.mod:callable"`` or ``"file.py:callable"``; workers make their own.
        data: SPEC of the training sample.
        test_data: SPEC of a sample that training has not seen.
        n: Size of the training sample, without data.
        input_norm: Norm that inputs are taken to stay below, without data.
        input_shape: Of one sample, to trace the model without data.
        delta: Probability that a certificate fails, each on its own.
        gamma: A margin fixed in advance, or ``"auto"`` for the best.
        confidence: ``"normalized"`` to rest on preprocessing that the data declare.
        loss: The training loss, recorded in the conventions.
        weight_decay: Coefficient of rho^2 in the square loss, for the equilibrium.
        only: Parts to compute; None for all.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        batch_size: Samples at a time.
        key: Which model, where a file holds several.
        trust: Allow code in files to run, where they cannot be read otherwise.
        init: The checkpoint from before training, for measures of how far it went.
        head: The last linear layer, whose inputs are the features; None to find it.
        spectra: ``"full"``, ``"top"``, ``"none"``, or ``"auto"`` by the layer's size.
        sgd_batch: Samples of a step of SGD, for its noise.
        learning_rate: Of plain SGD, for the bound on ranks.
        jobs: Processes at once; None for as many as cores and memory allow.
        scheduler: Address of a Dask scheduler whose workers do the work instead.
        progress: Called with the number done, the total and a label.

    Returns:
        One row per checkpoint of the folder, columns as in docs/sweep.md. Its
        ``attrs`` hold ``"notices"``, lines about the sources.

    Raises:
        BoundkitError: The model or the data cannot be loaded, or a list of sources not
            be read.
        Empty: The sources hold no checkpoint.
        UsageError: An argument makes no sense, or the folder cannot be used.
    """
    options: dict[str, Any] = {
        "model": model,
        "data": data,
        "test_data": test_data,
        "n": n,
        "input_norm": input_norm,
        "input_shape": None if input_shape is None else list(input_shape),
        "delta": delta,
        "gamma": gamma,
        "confidence": confidence,
        "loss": loss,
        "weight_decay": weight_decay,
        "only": None if only is None else list(only),
        "device": device,
        "batch_size": batch_size,
        "key": key,
        "trust": trust,
        "init": init,
        "head": head,
        "spectra": spectra,
        "sgd_batch": sgd_batch,
        "learning_rate": learning_rate,
    }
    _require_sense(options, jobs)
    options["files"] = {
        name: spec_digest(options[name])
        for name in ("model", "data", "test_data", "init")
        if options[name] is not None
    }
    named, notices = found(sources)
    if not named and (out is None or not read_sources(Path(out))):
        raise Empty(
            "sources",
            "there is no checkpoint" + "".join(f" ({one})" for one in notices[:1]),
            "name files, folders, patterns such as 'runs/*.pt', or a manifest",
        )
    if out is None:
        with TemporaryDirectory(prefix="boundkit-sweep-") as folder:
            return _swept(
                named, notices, Path(folder), options, jobs, scheduler, progress
            )
    return _swept(named, notices, Path(out), options, jobs, scheduler, progress)


def _require_sense(options: Mapping[str, Any], jobs: int | None) -> None:
    for name in ("model", "data", "test_data", "init"):
        spec = options[name]
        if spec is not None and not isinstance(spec, str):
            raise UsageError(
                f"{name} must be a SPEC such as 'file.py:callable' or a path, which each "
                f"worker loads for itself, but got {type(spec).__name__}"
            )
    arguments.wanted_parts(options["only"])
    arguments.wanted_margin(options["gamma"])
    names = ("model", "data", "test_data", "n", "input_norm", "delta", "batch_size")
    arguments.require_sense(
        **{name: options[name] for name in names}, confidence=options["confidence"]
    )
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs must be at least 1, but got {jobs}")


def _swept(
    named: tuple[Source, ...],
    notices: tuple[str, ...],
    folder: Path,
    options: dict[str, Any],
    jobs: int | None,
    scheduler: str | None,
    progress: Progress,
) -> pd.DataFrame:
    with opened(folder, options) as store:
        every = store.record(named)
        tasks, largest = _tasks(store, every)
        if scheduler is not None:
            came = cluster.run(tasks, options, store.digest, scheduler)
        else:
            size = jobs or crew_size(len(tasks), largest)
            came = pool.run(tasks, options, store.digest, folder, min(size, 1000))
        fresh = _noted(store, came, len(tasks), progress)
        frame = frame_of(folder)
        try:
            tables = write_tables(frame, folder)
        except OSError as error:
            refuse_to_write(folder, error)
    if len(tables) == 1:
        missing = "results.parquet needs pyarrow (pip install 'boundkit[parquet]')"
        notices += (f"{missing}: only results.csv was written",)
    frame.attrs = {"notices": list(notices), "fresh": fresh}
    return frame


def _tasks(store: Store, every: Sequence[Source]) -> tuple[list[Task], int]:
    """Return what has to be looked at, and the size of the largest file among it."""
    tasks, largest = [], 0
    for where, path in {source.where: source.path for source in every}.items():
        mark = None if is_url(where) else signature(Path(where))
        if not store.settled(where, mark):
            tasks.append(Task(where, path, store.known(where)))
            size = (mark or "").partition(":")[0]
            largest = max(largest, int(size) if size.isdigit() else 0)
    return tasks, largest


def _noted(
    store: Store, came: Iterator[Outcome], total: int, progress: Progress
) -> int:
    """Keep outcomes as they come, and return how many were analyzed now."""
    failed = fresh = 0
    since = time.monotonic()
    for done, outcome in enumerate(came, 1):
        store.note(outcome)
        failed += outcome.status == FAILED
        fresh += outcome.fresh
        if progress is not None:
            rate = done / max(time.monotonic() - since, 1e-9)
            label = f"{done:,} of {total:,} · {rate:.3g}/s · {failed:,} failed"
            progress(done, total, label)
    return fresh
