"""Tables with one column per net, split into blocks that fit the width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from boundkit.report.spans import Line, Span, cells, clip, pad

__all__ = ["Cell", "Row", "blocks"]

#: Text and its style.
Cell: TypeAlias = Span
#: What a row is about, and its cells.
Row: TypeAlias = tuple[Cell, Sequence[Cell]]

_INDENT, _GAP = 4, 2
_LEAST_HEAD = 12


def blocks(
    corner: str,
    titles: Sequence[str],
    rows: Sequence[Row],
    width: int,
) -> list[Line]:
    """Return a table as lines; columns that do not fit go into further blocks.

    Args:
        corner: Title of the first column.
        titles: Of the other columns, aligned to the right.
        rows: The first cell and the others, one per title.
        width: Columns of a line.
    """
    wanted = max([len(corner), *(cells(head) for (head, _), _ in rows)])
    columns = [
        _GAP + max([cells(title), *(cells(row[at][0]) for _, row in rows)])
        for at, title in enumerate(titles)
    ]
    room = width - _INDENT - max([*columns, 0])
    first = min(wanted, max(room, _LEAST_HEAD), max(width // 2, _LEAST_HEAD))
    lines: list[Line] = []
    for start, stop in _chunks(columns, width - _INDENT - first):
        if lines:
            lines.append(())
        heading = "".join(
            pad(titles[at], columns[at], "right") for at in range(start, stop)
        )
        lines.append(((" " * _INDENT + pad(corner, first) + heading, "dim"),))
        lines += [
            _line(head, row[start:stop], first, columns[start:stop])
            for head, row in rows
        ]
    return lines


def _line(head: Cell, row: Sequence[Cell], first: int, columns: Sequence[int]) -> Line:
    text, style = head
    return (
        (" " * _INDENT, ""),
        (pad(clip(text, first), first), style),
        *(
            (pad(text, room, "right"), style)
            for (text, style), room in zip(row, columns, strict=True)
        ),
    )


def _chunks(columns: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Return the ranges of columns that fit; a column wider than all stands alone."""
    found: list[tuple[int, int]] = []
    start, taken = 0, 0
    for at, column in enumerate(columns):
        if at > start and taken + column > room:
            found.append((start, at))
            start, taken = at, 0
        taken += column
    return [*found, (start, len(columns))]
