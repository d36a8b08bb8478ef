"""Manifests: tables of checkpoints whose other columns are carried along."""

from __future__ import annotations

import csv
import json
from math import isfinite
from pathlib import PurePath
from typing import Any

from boundkit.errors import DataError

__all__ = ["is_manifest", "rows_of"]

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_ENDINGS = frozenset({*_DELIMITERS, ".jsonl", ".ndjson", ".txt"})


def is_manifest(name: str) -> bool:
    """Say whether a file is called like a manifest.

    Args:
        name: Its path.
    """
    return PurePath(name).suffix.lower() in _ENDINGS


def rows_of(name: str, content: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Return path and columns of each row of a manifest.

    ``.csv`` and ``.tsv`` have a header with a column ``path``; a column whose every cell
    is a number or empty becomes numbers. ``.jsonl`` has one object with ``"path"`` a
    line. ``.txt`` has one path a line and no columns. Empty lines are passed over.

    Args:
        name: Of the file, for messages and to tell the format.
        content: Its bytes, UTF-8.

    Returns:
        (path as written, columns) of each row; an empty cell is None.

    Raises:
        DataError: It is no such table; the message names the line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: not UTF-8 text (byte {error.start}); save the manifest as UTF-8"
        ) from None
    suffix = PurePath(name).suffix.lower()
    if suffix in _DELIMITERS:
        rows = _separated(name, text, _DELIMITERS[suffix])
    elif suffix == ".txt":
        rows = [(line.strip(), {}) for line in text.splitlines() if line.strip()]
    else:
        rows = _lines(name, text)
    if not rows:
        raise DataError(f"{name}: the manifest has no rows; give at least one")
    return rows


def _separated(
    name: str, text: str, delimiter: str
) -> list[tuple[str, dict[str, Any]]]:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    table: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                # The line is known only while the row is at hand.
                table.append((reader.line_num, cells))  # noqa: PERF401 - as above
    except csv.Error as error:
        raise DataError(
            f"{name}: line {reader.line_num} is not CSV ({error}); mend the line"
        ) from None
    if not table:
        return []
    header = [cell.strip() for cell in table[0][1]]
    _check_header(name, header)
    for line, cells in table[1:]:
        if len(cells) != len(header):
            raise DataError(
                f"{name}: line {line} has {len(cells)} cells, the header has "
                f"{len(header)}; quote cells that hold a {delimiter!r}"
            )
        if not cells[header.index("path")].strip():
            raise DataError(f"{name}: line {line} names no path; fill it in")
    columns = {
        label: _typed([cells[at].strip() for _, cells in table[1:]])
        for at, label in enumerate(header)
        if label != "path"
    }
    return [
        (cells[header.index("path")].strip(), {c: columns[c][at] for c in columns})
        for at, (_, cells) in enumerate(table[1:])
    ]


def _check_header(name: str, header: list[str]) -> None:
    if "path" not in header:
        listed = ", ".join(map(repr, header[:20]))
        raise DataError(
            f"{name}: has no column 'path' (its columns: {listed}); call the column of "
            "the checkpoints path"
        )
    double = sorted({label for label in header if header.count(label) > 1})
    if double or "" in header:
        what = f"two columns {double[0]!r}" if double else "a column without a name"
        raise DataError(f"{name}: has {what}; give each column its own name")


def _typed(cells: list[str]) -> list[Any]:
    """Return a column as numbers where every cell is one; None where it is empty."""
    for kind in (int, float):
        try:
            return [None if not cell else _finite(kind(cell)) for cell in cells]
        except ValueError:
            continue
    return [cell or None for cell in cells]


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _lines(name: str, text: str) -> list[tuple[str, dict[str, Any]]]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            rows.append(_row(name, number, line))
    return rows


def _row(name: str, number: int, line: str) -> tuple[str, dict[str, Any]]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{name}: line {number} is not JSON ({error}); write one object a line"
        ) from None
    if not isinstance(row, dict) or not isinstance(row.get("path"), str):
        raise DataError(
            f'{name}: line {number} is no object with a "path"; write '
            '{"path": "...", ...}'
        )
    path = row.pop("path")
    return path, {label: _cell(value) for label, value in row.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return _finite(value)
    return json.dumps(value) if isinstance(value, dict | list) else value
