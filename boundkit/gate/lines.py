"""The line of a TOML file on which a key stands."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["line_of"]


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """Return the line on which a key is set, or of the table that would hold it.

    Args:
        text: A TOML document that parses.
        path: The key, tables first; elements of arrays of tables are left out.

    Returns:
        Counted from 1; None if neither is found.
    """
    best: tuple[int, int] | None = None
    for number, found in _keys(text):
        shared = found == path[: len(found)]
        if shared and (best is None or len(found) > best[0]):
            best = len(found), number
    return None if best is None else best[1]


def _keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            table = _path(line) or table
            yield number, table
        elif "=" in line:
            yield from _entries(number, table, line)


def _entries(
    number: int, table: tuple[str, ...], line: str
) -> Iterator[tuple[int, tuple[str, ...]]]:
    # A value may go on over several lines; its key does not.
    for written in (line, line.partition("=")[0] + "= 0"):
        try:
            parsed = tomllib.loads(written)
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(parsed):
            yield number, table + path
        return


def _paths(parsed: Any) -> Iterator[tuple[str, ...]]:
    for key, value in parsed.items():
        yield (key,)
        if isinstance(value, dict):
            for path in _paths(value):
                yield (key, *path)


def _path(header: str) -> tuple[str, ...]:
    try:
        parsed: Any = tomllib.loads(header)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while parsed:
        parsed = parsed[0] if isinstance(parsed, list) else parsed
        if not parsed:
            break
        key = next(iter(parsed))
        path.append(key)
        parsed = parsed[key]
    return tuple(path)
