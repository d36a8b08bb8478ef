"""From rows of a table to points: logarithms, and means over repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.errors import DataError
from boundkit.regression.points import LeftOut

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "Gathered",
    "gathered",
    "reasons_in_words",
    "require_line",
    "text_of",
    "with_logarithms",
]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Points before anything is fitted; (n,) each.

    Attributes:
        x: As fitted.
        y: As fitted.
        x_sd: Standard deviation over repeats, NaN for a single row.
        y_sd: The same.
        labels: Of the points.
        keys: Values of the columns ``by`` as text, by point.
        rows: Of the table, by point.
        groups: Values of the group column as text; empty without one.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_sd: NDArray[np.float64]
    y_sd: NDArray[np.float64]
    labels: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[int, ...], ...]
    groups: NDArray[Any]


def with_logarithms(
    frame: pd.DataFrame, columns: Sequence[str]
) -> tuple[pd.DataFrame, tuple[LeftOut, ...]]:
    """Return rows with the logarithm to base 10 in some columns, and rows without one.

    Args:
        frame: Of finite numbers in these columns.
        columns: To take logarithms of.
    """
    found = []
    for name in dict.fromkeys(columns):
        positive = (frame[name] > 0).to_numpy()
        if not positive.all():
            rows = tuple(map(int, frame.index[~positive]))
            found.append(LeftOut(f"{name!r} is not above 0, so has no logarithm", rows))
        frame = frame[positive]
        frame = frame.assign(**{name: np.log10(frame[name].to_numpy(np.float64))})
    return frame, tuple(found)


def gathered(
    frame: pd.DataFrame, x: str, y: str, by: Sequence[str], group: str | None
) -> Gathered:
    """Return the points of a table: its rows, or means over rows that agree.

    Args:
        frame: Rows that are used; the index numbers them in the table.
        x: Column.
        y: Column.
        by: Columns; rows that agree in them, and in ``group``, are one point. None of
            them: each row is a point.
        group: Column, or None.
    """
    parts = _parts(
        frame, (*by, *([group] if group and group not in by else ())), bool(by)
    )
    tables = [part for _, part in parts]
    return Gathered(
        x=_column([float(part[x].mean()) for part in tables]),
        y=_column([float(part[y].mean()) for part in tables]),
        x_sd=_column([float(part[x].std(ddof=1)) for part in tables]),
        y_sd=_column([float(part[y].std(ddof=1)) for part in tables]),
        labels=tuple(label for label, _ in parts),
        keys=tuple(tuple(text_of(part[k].iloc[0]) for k in by) for part in tables),
        rows=tuple(tuple(map(int, part.index)) for part in tables),
        groups=np.array(
            [text_of(part[group].iloc[0]) for part in tables] if group else []
        ),
    )


def _column(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def _parts(
    frame: pd.DataFrame, keys: Sequence[str], averaged: bool
) -> list[tuple[str, pd.DataFrame]]:
    if not averaged:
        named = "path" in frame.columns
        return [
            (
                str(frame["path"].iloc[i]) if named else f"row {frame.index[i]}",
                frame.iloc[i : i + 1],
            )
            for i in range(len(frame))
        ]
    return [
        (
            ", ".join(f"{k} {text_of(v)}" for k, v in zip(keys, values, strict=True)),
            part,
        )
        for values, part in frame.groupby(list(keys), sort=True)
    ]


def text_of(value: Any) -> str:
    """Return a value of a column as text: 0.001 and 1 rather than 1.0.

    Args:
        value: Plain or of numpy.
    """
    if isinstance(value, float | np.floating):
        return (
            f"{float(value):g}" if float(f"{value:g}") == value else repr(float(value))
        )
    return str(value)


def reasons_in_words(left_out: Sequence[LeftOut]) -> str:
    """Return how many rows are left out for which reason, for a message.

    Args:
        left_out: Rows that are no points.
    """
    return ", ".join(f"{len(one.rows)} for {one.reason}" for one in left_out) or "none"


def require_line(
    x: NDArray[np.float64], y: NDArray[np.float64], x_name: str, y_name: str
) -> None:
    """Refuse points that no line can be fitted to.

    Args:
        x: (n,).
        y: (n,).
        x_name: What x is, for the message.
        y_name: What y is.

    Raises:
        DataError: There are fewer than 3, or one of the columns does not vary.
    """
    if len(x) < 3:
        points = "1 point" if len(x) == 1 else f"{len(x)} points"
        raise DataError(f"{points} cannot tell a line from chance; give at least 3")
    for name, values in ((x_name, x), (y_name, y)):
        spread = float(values.max() - values.min())
        if spread <= 1e-14 * float(np.abs(values).max()):
            raise DataError(
                f"{name!r} is constant ({text_of(float(values[0]))}) over the "
                f"{len(values)} points; give nets that differ in it"
            )
