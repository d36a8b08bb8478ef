"""What the user names -> checkpoints, each with the columns that come with it."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boundkit.errors import DataError, UsageError
from boundkit.sweeping import remote
from boundkit.sweeping.folder import checkpoints_below
from boundkit.sweeping.manifest import is_manifest, rows_of
from boundkit.sweeping.natural import natural

__all__ = ["Source", "found"]


@dataclass(frozen=True, slots=True)
class Source:
    """One checkpoint to look at, and one row of the table.

    Attributes:
        path: As the user wrote it, or as it was found.
        where: Absolute path, or URL.
        columns: What a manifest says of it.
    """

    path: str
    where: str
    columns: Mapping[str, Any]


def found(sources: Any) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """Return the checkpoints that sources stand for.

    Args:
        sources: A path, pattern, folder, URL or manifest; a mapping with ``path`` and
            other columns; a pandas frame with a column ``path``; or several of these.

    Returns:
        The checkpoints, in the order of the sources, none twice with the same columns;
        and lines about what the user should know.

    Raises:
        CheckpointError: A folder or place cannot be listed.
        DataError: A manifest cannot be read.
        UsageError: A source is no source at all.
    """
    if hasattr(sources, "to_dict") and hasattr(sources, "columns"):
        sources = sources.to_dict("records")
    if isinstance(sources, str | os.PathLike | Mapping):
        sources = [sources]
    if not isinstance(sources, Iterable):
        raise UsageError(
            "sources must be paths, patterns, folders, URLs, manifests or a frame with "
            f"a column path, but got {type(sources).__name__}"
        )
    each: list[Source] = []
    notices: list[str] = []
    for source in sources:
        here = _expanded(source)
        if not here:
            notices.append(f"{_shown(source)}: no checkpoint is there")
        each += here
    return _merged(each, notices), tuple(notices)


def _shown(source: Any) -> str:
    return repr(str(source))


def _expanded(source: Any) -> list[Source]:
    if isinstance(source, Mapping):
        return [_given(source)]
    if not isinstance(source, str | os.PathLike):
        raise UsageError(
            "a source must be a path, a URL or a mapping with path and columns, but got "
            f"{type(source).__name__}; models in memory are for boundkit.analyze"
        )
    text = os.fspath(source)
    if isinstance(text, bytes) or not text:
        raise UsageError(f"a source must be a path as text, but got {text!r}")
    if remote.is_url(text):
        if is_manifest(text.partition("?")[0]):
            folder = text.rpartition("/")[0]
            return _of_manifest(text, remote.content(text), folder)
        return [Source(url, url, {}) for url in remote.expanded(text)]
    return _at_place(text)


def _at_place(text: str) -> list[Source]:
    path = Path(text)
    if path.is_dir():
        return [_local(one) for one in checkpoints_below(path)]
    if path.is_file() and is_manifest(text):
        return _of_manifest(text, _content(path), str(path.parent))
    if path.exists() or not glob.has_magic(text):
        return [_local(text)]
    names: list[str] = []
    for match in sorted(glob.glob(text, recursive=True), key=natural):  # noqa: PTH207 - keeps the spelling of the pattern
        names += checkpoints_below(Path(match)) if Path(match).is_dir() else [match]
    return [_local(name) for name in dict.fromkeys(names)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: the manifest cannot be read ({error.strerror}); check its "
            "permissions"
        ) from error


def _local(text: str, columns: Mapping[str, Any] | None = None) -> Source:
    where = text if remote.is_url(text) else str(Path(text).absolute())
    return Source(text, where, columns or {})


def _given(row: Mapping[Any, Any]) -> Source:
    columns = {str(key): _plain(value) for key, value in row.items()}
    path = columns.pop("path", None)
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"a row must have a path, but has {sorted(columns)} only")
    return _local(os.fspath(path), columns)


def _plain(value: Any) -> Any:
    """Return a cell of a frame as a plain number or string; None for a missing one."""
    if hasattr(value, "item"):
        value = value.item()
    missing = value is None or value != value  # noqa: PLR0124 - NaN, also of pandas
    if missing:
        return None
    return value if isinstance(value, str | bool | int | float) else str(value)


def _of_manifest(name: str, content: bytes, folder: str) -> list[Source]:
    return [
        _local(_beside(folder, path), columns)
        for path, columns in rows_of(name, content)
    ]


def _beside(folder: str, path: str) -> str:
    """Return a manifest's path relative to its folder, or else to where we are."""
    if remote.is_url(path) or Path(path).is_absolute():
        return path
    if remote.is_url(folder):
        return f"{folder}/{path}"
    near = Path(folder, path)
    return path if not near.exists() and Path(path).exists() else str(near)


def _merged(each: list[Source], notices: list[str]) -> tuple[Source, ...]:
    """Join rows of one checkpoint whose columns do not contradict each other."""
    rows: dict[str, list[Source]] = {}
    repeated = 0
    for one in each:
        same = rows.setdefault(one.where, [])
        for at, earlier in enumerate(same):
            clash = _clash(earlier.columns, one.columns)
            if not clash:
                repeated += earlier.columns == one.columns
                both = {**earlier.columns, **one.columns}
                same[at] = Source(earlier.path, one.where, both)
                break
            notices.append(
                f"{one.path!r} is listed twice with different {', '.join(clash)}: both "
                "rows are kept"
            )
        else:
            same.append(one)
    if repeated:
        notices.append(
            f"{repeated:,} rows repeat others word for word: each is there once"
        )
    return tuple(one for same in rows.values() for one in same)


def _clash(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    return [
        label for label in first if label in second and first[label] != second[label]
    ]
