"""One checkpoint of a sweep: told apart by its content, then analyzed if it is new."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit import analysis, readers
from boundkit.errors import BoundkitError, CheckpointError
from boundkit.readers.digest import fingerprint
from boundkit.report.json import document, written
from boundkit.sweeping import remote
from boundkit.sweeping.columns import flat
from boundkit.sweeping.identity import key_of, signature
from boundkit.sweeping.outcome import (
    ANALYZED,
    FAILED,
    UNDEFINED,
    Outcome,
    one_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch

    from boundkit.data import Samples
    from boundkit.sweeping.outcome import Task
    from boundkit.types import Checkpoint

__all__ = ["Prepared", "examine", "head_of_result", "prepared"]

SCHEMA = "boundkit.sweep-result/1"
#: Data sets up to here are kept in memory by each worker, in bytes.
_HELD = 1 << 28


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Options with what they name loaded, once for many checkpoints.

    Attributes:
        arguments: Of ``boundkit.analyze``, but for the source, the key and trust.
        conventions: What reports record instead of the loaded objects.
        digest: Of the options.
        key: Which model, where a file holds several.
        trust: Whether code in files may run.
    """

    arguments: Mapping[str, Any]
    conventions: Mapping[str, Any]
    digest: str
    key: str | None
    trust: bool


def prepared(options: Mapping[str, Any], digest: str) -> Prepared:
    """Load the model and the data that options name.

    Args:
        options: Of ``boundkit.analyze``, plain values.
        digest: Of them.

    Raises:
        BoundkitError: Something cannot be loaded.
    """
    arguments = {name: value for name, value in options.items() if name != "files"}
    key, trust = arguments.pop("key", None), arguments.pop("trust", False)
    named = {name: arguments.get(name) for name in ("data", "test_data", "init")}
    if arguments.get("model") is not None:
        from boundkit.layers.model_spec import load_model

        arguments["model"] = load_model(arguments["model"])
    for name, part in (("data", "train"), ("test_data", "test")):
        if arguments.get(name) is not None:
            from boundkit.data import open_data

            hint: Any = part
            arguments[name] = _held(open_data(arguments[name], hint))
    if arguments.get("init") is not None:
        arguments["init"] = readers.read(arguments["init"], trust=trust)
    return Prepared(arguments, named, digest, key, trust)


def _held(samples: Samples) -> Samples:
    """Keep a small data set in memory, so that it is read and checked once."""
    from math import prod

    import torch

    if samples.n is None or 8 * samples.n * prod(samples.shape) > _HELD:
        return samples
    batches = list(samples.batches(4096))
    x = torch.cat([inputs for inputs, _ in batches])
    y = torch.cat([labels for _, labels in batches])
    return replace(samples, source=partial(_split, x, y))


def _split(
    x: torch.Tensor, y: torch.Tensor, size: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for first in range(0, len(x), size):
        yield x[first : first + size], y[first : first + size]


def examine(task: Task, options: Prepared, there: Callable[[str], bool]) -> Outcome:
    """Return what becomes of one checkpoint; whatever is wrong with it is a reason.

    Args:
        task: Which one.
        options: Loaded.
        there: Whether there is a result with a key already.

    Returns:
        The outcome; with its text where it was analyzed now.
    """
    try:
        with ExitStack() as stack:
            return _examined(task, options, there, stack)
    except BoundkitError as error:
        reason = _named(one_line(error), task)
        return Outcome(
            task.where, FAILED, reason, _signature(task), settled=_is_final(error)
        )
    except MemoryError:
        reason = "there is not enough memory; analyze fewer at once (--jobs)"
        return Outcome(task.where, FAILED, reason)
    except Exception as error:  # noqa: BLE001 - as below
        # A bug must not end a sweep of thousands.
        what = f"{type(error).__name__}: {one_line(error)}"
        reason = f"internal error: {what}; please report it as a bug in boundkit"
        return Outcome(task.where, FAILED, _named(reason, task))


def _is_final(error: BoundkitError) -> bool:
    """Say whether the same bytes would meet the same error under the same options."""
    if not isinstance(error, CheckpointError) or "--trust" in error.remedy:
        return False
    cause: BaseException | None = error
    while cause is not None:
        # A disk or a permission may be mended, and no signature tells.
        if isinstance(cause, OSError | MemoryError):
            return False
        cause = cause.__cause__ or cause.__context__
    return True


def _signature(task: Task) -> str | None:
    return None if remote.is_url(task.where) else signature(Path(task.where))


def _named(reason: str, task: Task) -> str:
    """Say a place as the user wrote it, not where it was put for reading."""
    words = reason.replace(task.where, task.name)
    temporary = f"{tempfile.gettempdir()}/boundkit-"
    if not remote.is_url(task.where) or not words.startswith(temporary):
        return words
    return f"{task.name}: {words.partition(': ')[2]}"


def _examined(
    task: Task, options: Prepared, there: Callable[[str], bool], stack: ExitStack
) -> Outcome:
    mark = _signature(task)
    if remote.is_url(task.where):
        content = remote.version(task.where)
        if content is not None and there(key := key_of(content, options.digest)):
            return Outcome(task.where, ANALYZED, "", mark, key, settled=True)
        place = stack.enter_context(remote.local(task.where))
    else:
        content, place = None, Path(task.where)
    checkpoint = readers.read(place, options.key, options.trust)
    digest = fingerprint(checkpoint)
    checkpoint = replace(checkpoint, source=task.name, sha256=digest)
    content = content or digest
    # Without a mark of the server there is no telling a change: always anew.
    key = key_of(content or task.where, options.digest)
    if content is not None and there(key):
        return Outcome(task.where, ANALYZED, "", mark, key, settled=True)
    status, text = _result(checkpoint, options, key)
    if mark != _signature(task):
        reason = f"{task.name}: changed while it was read; run the sweep again"
        return Outcome(task.where, FAILED, reason)
    return Outcome(
        task.where, status, "", mark, key, settled=True, fresh=True, text=text
    )


def _result(checkpoint: Checkpoint, options: Prepared, key: str) -> tuple[str, str]:
    report = analysis.analyze(checkpoint, **options.arguments)
    names = {n: v for n, v in options.conventions.items() if n in report.conventions}
    conventions = MappingProxyType({**report.conventions, **names})
    plain = document(replace(report, conventions=conventions))
    status = UNDEFINED if report.undefined else ANALYZED
    head = {
        "schema": SCHEMA,
        "key": key,
        "status": status,
        "row": flat(plain),
        "metadata": _plain(checkpoint.metadata),
    }
    # The head is a line of its own, so that a table needs no parsing of reports.
    first = json.dumps(head, allow_nan=False).removesuffix("}")
    return status, f'{first},\n"report": {written(plain)}}}\n'


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata without what JSON does not know: NaN and infinities."""
    values = {name: value for name, value in metadata.items() if value is not None}
    return {
        name: str(value) if value in {float("inf"), float("-inf")} else value
        for name, value in values.items()
        if value == value  # noqa: PLR0124 - NaN
    }


def head_of_result(path: Path) -> dict[str, Any]:
    """Return everything of a result but its report.

    Args:
        path: Of the result.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no result.
    """
    with path.open(encoding="utf-8") as file:
        line = file.readline()
    head: dict[str, Any] = json.loads(line.rstrip().removesuffix(",") + "}")
    if head.get("schema") != SCHEMA:
        raise ValueError("not a result of a sweep")
    return head
