"""Checkpoints analyzed on a Dask cluster that is already there."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from boundkit.errors import BoundkitError, UsageError
from boundkit.sweeping.examine import Prepared, examine, prepared
from boundkit.sweeping.identity import made_absolute
from boundkit.sweeping.outcome import FAILED, Outcome, Task, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["remotely", "run"]

_PATIENCE = "20s"


@lru_cache(maxsize=1)
def _loaded(options: str, recorded: str, digest: str) -> Prepared:
    """Load model and data once per process of the cluster, not once per task."""
    from dataclasses import replace

    names = json.loads(recorded)
    ready = prepared(json.loads(options), digest)
    return replace(ready, conventions=names)


def remotely(task: Task, options: str, recorded: str, digest: str, ours: str) -> Any:
    """Return what becomes of one checkpoint; runs in a worker of the cluster.

    Args:
        task: Which one.
        options: Of the analysis, as JSON, with paths that do not depend on where we are.
        recorded: What reports say of the data, as JSON.
        digest: Of the options.
        ours: Version of boundkit where results are gathered.

    Raises:
        BoundkitError: The model or the data do not load there.
        UsageError: There is another version there.
    """
    from boundkit import __version__

    if ours != __version__:
        raise UsageError(
            f"boundkit is {__version__} on the cluster and {ours} here; install the "
            "same version on both"
        )
    return examine(
        task, _loaded(options, recorded, digest), lambda key: key == task.known
    )


def run(
    tasks: Sequence[Task], options: Mapping[str, Any], digest: str, address: str
) -> Iterator[Outcome]:
    """Analyze checkpoints on a cluster; results come back with the outcomes.

    Dask gives the tasks of a worker that dies to others. Files are read by the workers,
    under the same absolute paths or as URLs.

    Args:
        tasks: What to look at.
        options: Of the analysis, plain values.
        digest: Of the options.
        address: Of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Yields:
        Outcomes, as they come.

    Raises:
        BoundkitError: The scheduler is lost, or the model or the data do not load.
        UsageError: Dask is not installed, no scheduler answers, or boundkit is missing
            or of another version there.
    """
    from boundkit import __version__

    client = _connected(address)
    try:
        _check_workers(client, address)
        recorded = {name: options.get(name) for name in ("data", "test_data", "init")}
        common = (
            json.dumps(made_absolute(options), default=list),
            json.dumps(recorded),
            digest,
            __version__,
        )
        yield from _gathered(client, tasks, common)
    finally:
        client.close()


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "--scheduler needs Dask: install it with pip install 'boundkit[cluster]'"
        ) from None
    try:
        return Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address!r} ({one_line(error)[:200]}); start "
            "one with `dask scheduler`, or check the address"
        ) from error


def _version() -> str:
    from boundkit import __version__

    return __version__


def _check_workers(client: Any, address: str) -> None:
    """Refuse workers that cannot run us; those that come later are found out then.

    Raises:
        UsageError: One cannot.
    """
    try:
        client.run(_version)
    except Exception as error:
        # Whatever a worker met comes back as it was raised there.
        raise UsageError(
            f"the workers of {address} cannot run boundkit ({one_line(error)[:200]}); "
            "install boundkit and the same Python there"
        ) from error


def _gathered(
    client: Any, tasks: Sequence[Task], common: tuple[str, ...]
) -> Iterator[Outcome]:
    from distributed import as_completed

    waiting = iter(tasks)

    def submitted(count: int) -> dict[Any, Task]:
        return {
            client.submit(remotely, task, *common, pure=False, retries=0): task
            for task in islice(waiting, count)
        }

    # Enough for every thread to have the next at hand, few enough to forget nothing.
    threads = sum(client.nthreads().values())
    futures = submitted(max(16, 4 * threads))
    finished = as_completed(list(futures), loop=client.loop)
    for future in finished:
        task = futures.pop(future)
        yield _outcome(task, future)
        more = submitted(1)
        futures |= more
        finished.update(more)  # noqa: B909 - made to be added to meanwhile


def _outcome(task: Task, future: Any) -> Outcome:
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    try:
        # What a worker took with it when it died is "lost", and computed once more.
        found: Outcome = future.result()
    except CancelledError as error:
        raise BoundkitError(
            "the connection to the Dask scheduler was lost; results so far are kept: run "
            "again to go on"
        ) from error
    except KilledWorker:
        reason = (
            "workers of the cluster died over it again and again, probably for lack of "
            "memory; give them more"
        )
        return Outcome(task.where, FAILED, reason)
    return found
