"""The folder of a sweep: what is in it survives the end of the process at any moment."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError
from boundkit.sweeping.atomic import TEMPORARY, write_whole
from boundkit.sweeping.identity import options_digest
from boundkit.sweeping.outcome import Outcome
from boundkit.sweeping.settings import refuse_to_write, settle
from boundkit.sweeping.sources import Source

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "Store",
    "journal",
    "opened",
    "read_sources",
    "result_path",
]

_SOURCES, _JOURNAL = "sources.jsonl", "journal.jsonl"


@dataclass(slots=True, eq=False)
class Store:
    """A folder of results that is open for writing.

    Attributes:
        folder: Where it is.
        digest: Of the options of every result in it.
        journal: Where a checkpoint lies -> what became of it last.
        keys: Of the results that are there.
    """

    folder: Path
    digest: str
    journal: dict[str, dict[str, Any]]
    keys: set[str]
    _log: int = field(repr=False)

    def record(self, sources: Sequence[Source]) -> tuple[Source, ...]:
        """Keep sources with their columns, and return all that belong to the sweep.

        A checkpoint that was there before gets its new columns; the others stay.

        Raises:
            UsageError: The folder cannot be written.
        """
        now = {source.where for source in sources}
        earlier = [s for s in read_sources(self.folder) if s.where not in now]
        every = (*earlier, *sources)
        lines = (
            json.dumps({"path": s.path, "where": s.where, "columns": dict(s.columns)})
            for s in every
        )
        self.write(self.folder / _SOURCES, "".join(f"{line}\n" for line in lines))
        return every

    def settled(self, where: str, signature: str | None) -> bool:
        """Say whether there is nothing to do for the checkpoint with this signature."""
        entry = self.journal.get(where)
        if entry is None or signature is None or entry["signature"] != signature:
            return False
        return bool(entry["settled"]) and entry["key"] in {None, *self._there(entry)}

    def known(self, where: str) -> str | None:
        """Return the key of the result that an earlier run made, if that is there."""
        return next(iter(self._there(self.journal.get(where, {}))), None)

    def _there(self, entry: Mapping[str, Any]) -> list[str]:
        key = entry.get("key")
        return [key] if key in self.keys else []

    def note(self, outcome: Outcome) -> None:
        """Write what became of a checkpoint: its result where it has one, and a line.

        Raises:
            UsageError: The folder cannot be written.
        """
        if outcome.text is not None and outcome.key is not None:
            self.write(result_path(self.folder, outcome.key), outcome.text)
        entry = outcome.entry()
        try:
            _append(self._log, json.dumps(entry).encode() + b"\n")
        except OSError as error:
            refuse_to_write(self.folder, error)
        self.journal[outcome.where] = entry
        if outcome.key is not None:
            self.keys.add(outcome.key)

    def write(self, path: Path, text: str) -> None:
        """Write a file of the folder, whole or not at all.

        Raises:
            UsageError: It cannot be written.
        """
        try:
            write_whole(path, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            refuse_to_write(self.folder, error)


def result_path(folder: Path, key: str) -> Path:
    """Return where the result with a key lies.

    Args:
        folder: Of the sweep.
        key: Of the result.
    """
    return folder / "results" / f"{key}.json"


@contextmanager
def opened(folder: Path, options: Mapping[str, Any]) -> Generator[Store]:
    """Open a folder of results for writing, or make one.

    Args:
        folder: Where it is or shall be.
        options: Of the analysis, plain values.

    Yields:
        The folder; no other sweep writes in it meanwhile.

    Raises:
        UsageError: It holds something else, or results with other options or of another
            version, or another sweep is at work in it, or it may not be written.
    """
    try:
        (folder / "results").mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        refuse_to_write(folder, error)
    try:
        _lock(folder, lock)
        with _explained(folder):
            settle(folder, options)
            _clean(folder)
            log = _opened_log(folder)
            keys = {path.stem for path in (folder / "results").glob("*.json")}
            entries = _journal(folder)
        try:
            yield Store(folder, options_digest(options), entries, keys, log)
        finally:
            os.close(log)
    finally:
        os.close(lock)


@contextmanager
def _explained(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        refuse_to_write(folder, error)


def _lock(folder: Path, descriptor: int) -> None:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(
            f"another sweep is writing in '{folder}'; wait for it, or choose another "
            "--out"
        ) from None


def _clean(folder: Path) -> None:
    """Remove what a process left that was killed while it wrote."""
    for place in (folder, folder / "results"):
        for path in place.glob(f"{TEMPORARY}*"):
            with suppress(FileNotFoundError):
                path.unlink()


def _opened_log(folder: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    log = os.open(folder / _JOURNAL, flags, 0o644)
    size = os.fstat(log).st_size
    if size and os.pread(log, 1, size - 1) != b"\n":
        # The last line was cut off by a kill or a full disk.
        _append(log, b"\n")
    return log


def _append(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]


def _journal(folder: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    with (folder / _JOURNAL).open("rb") as file:
        for line in file:
            # A line that was cut off says nothing: that checkpoint is looked at again.
            with suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                found[Outcome.of(entry, fresh=False).where] = entry
    return found


def journal(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what became last of each checkpoint that was looked at.

    Args:
        folder: Of the sweep.
    """
    try:
        return _journal(folder)
    except OSError:
        return {}


def read_sources(folder: Path) -> tuple[Source, ...]:
    """Return the checkpoints that belong to a sweep, with their columns.

    Args:
        folder: Of the sweep.

    Raises:
        UsageError: The list is damaged.
    """
    path = folder / _SOURCES
    try:
        lines = path.read_bytes().splitlines()
        return tuple(Source(**json.loads(line)) for line in lines)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"'{path}' is damaged ({type(error).__name__}): delete it and name the "
            "sources again; results are kept"
        ) from error
