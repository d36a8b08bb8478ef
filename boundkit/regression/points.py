"""Which rows of a table are points, and what became of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import DataError, UsageError
from boundkit.regression.table import columns_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "LeftOut",
    "by_name",
    "distinct_rows",
    "numbers",
    "require_columns",
    "usable",
]

#: Cells that a message quotes.
_QUOTED = 3


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that are no points.

    Attributes:
        reason: Why, in a few words.
        rows: Their numbers in the table, from 0.
    """

    reason: str
    rows: tuple[int, ...]


def require_columns(frame: pd.DataFrame, names: Sequence[str], where: str) -> None:
    """Refuse a table that lacks a column.

    Args:
        frame: The table.
        names: Of the columns.
        where: Name of the table, or ``""``.

    Raises:
        DataError: One is missing; those that are there are listed.
    """
    from difflib import get_close_matches

    for name in names:
        if name in frame.columns:
            continue
        near = get_close_matches(name, list(frame.columns), 3)
        hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise DataError(
            f"{where + ': ' if where else ''}there is no column {name!r}; {hint}"
            f"columns of numbers: {columns_in_words(frame)}"
        )


def numbers(frame: pd.DataFrame, name: str, where: str) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where a cell is empty.

    Args:
        frame: The table.
        name: Of the column.
        where: Name of the table, or ``""``.

    Raises:
        DataError: There is no such column, or it holds text.
    """
    import pandas as pd

    require_columns(frame, [name], where)
    column = frame[name]
    found: NDArray[np.float64] = pd.to_numeric(column, errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    wrong = np.flatnonzero(np.isnan(found) & column.notna().to_numpy())
    wrong = wrong[[str(column.iloc[i]).strip().lower() != "nan" for i in wrong]]
    if len(wrong):
        cells = ", ".join(repr(str(column.iloc[i])[:40]) for i in wrong[:_QUOTED])
        raise DataError(
            f"{where + ': ' if where else ''}column {name!r} is no column of numbers: "
            f"{len(wrong):,} of {len(column):,} cells are text ({cells}); columns of "
            f"numbers: {columns_in_words(frame)}"
        )
    return found


def usable(
    frame: pd.DataFrame, columns: Sequence[str], where: str
) -> tuple[pd.DataFrame, tuple[LeftOut, ...]]:
    """Return the rows that have a finite number in each column, and the others.

    Rows of a sweep that failed or are pending are left out, too, and a net that is
    there twice with the same numbers counts once.

    Args:
        frame: The table; its index numbers the rows.
        columns: That a point needs.
        where: Name of the table, or ``""``.

    Raises:
        DataError: A column is missing or holds text.
    """
    values = {name: numbers(frame, name, where) for name in dict.fromkeys(columns)}
    kept = np.ones(len(frame), dtype=bool)
    found: list[LeftOut] = []

    def leave(rows: NDArray[np.bool_], reason: str) -> None:
        new = rows & kept
        if new.any():
            found.append(LeftOut(reason, tuple(map(int, np.flatnonzero(new)))))
        kept[new] = False

    if "status" in frame.columns:
        for status in ("failed", "pending"):
            leave((frame["status"] == status).to_numpy(dtype=bool), f"status {status}")
    for name, column in values.items():
        leave(np.isnan(column), f"{name!r} is missing")
        leave(~np.isfinite(column), f"{name!r} is infinite")
    chosen = frame.assign(**values)[kept]
    repeated = ~distinct_rows(chosen, columns)
    rows = np.zeros(len(frame), dtype=bool)
    rows[np.flatnonzero(kept)[repeated]] = True
    leave(rows, "repeats another row")
    return chosen[~repeated], tuple(found)


def distinct_rows(frame: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Return which rows are the first of their kind.

    Two rows are one net where every cell agrees, or the content (``sha256``) and the
    columns that matter do.

    Args:
        frame: The table.
        columns: That matter.
    """
    repeated = frame.duplicated().to_numpy(copy=True)
    if "sha256" in frame.columns:
        # The path differs between copies; the content does not.
        others = [n for n in frame.columns if n not in {"path", "seconds"}]
        known = frame["sha256"].notna().to_numpy()
        repeated |= known & frame.duplicated(others).to_numpy()
        repeated |= known & frame.duplicated(["sha256", *columns]).to_numpy()
    return np.asarray(~repeated)


def by_name(columns: str | Sequence[str] | None, option: str) -> tuple[str, ...]:
    """Return names of columns as a tuple.

    Args:
        columns: One, a list or tuple of many, or none.
        option: That named them, for the message.

    Raises:
        UsageError: They are no text, or one is there twice.
    """
    found: tuple[Any, ...] = (columns,)
    if columns is None:
        found = ()
    elif isinstance(columns, list | tuple):
        found = tuple(columns)
    if not all(isinstance(name, str) for name in found) or len({*found}) < len(found):
        raise UsageError(
            f"{option} must be names of different columns, but got {columns!r}"
        )
    return found
