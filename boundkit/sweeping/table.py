"""The table of a sweep, made from its folder at any time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from boundkit.sweeping.atomic import write_whole
from boundkit.sweeping.columns import FIRST, GROUPS, META, ordered
from boundkit.sweeping.examine import head_of_result
from boundkit.sweeping.outcome import FAILED, PENDING
from boundkit.sweeping.settings import stored
from boundkit.sweeping.store import journal, read_sources, result_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from boundkit.sweeping.sources import Source

__all__ = ["frame_of", "rows_of_folder", "series_of", "write_tables"]


def rows_of_folder(folder: Path) -> list[dict[str, Any]]:
    """Return one row per checkpoint of a sweep, in the order of the sources.

    Args:
        folder: Of the sweep.

    Returns:
        Column -> plain value; what does not apply to a checkpoint is missing.

    Raises:
        UsageError: It is no folder of results, or its list of sources is damaged.
    """
    stored(folder)
    entries = journal(folder)
    heads: dict[str, dict[str, Any]] = {}
    return [
        {
            "path": source.path,
            **_found(folder, entries.get(source.where), heads),
            **_carried(source),
        }
        for source in read_sources(folder)
    ]


def _carried(source: Source) -> dict[str, Any]:
    return {_column(label): value for label, value in source.columns.items()}


def _column(label: str) -> str:
    """Return what a manifest's column is called: our own names stay ours."""
    ours = label in FIRST or label.startswith((*GROUPS, META))
    return f"manifest.{label}" if ours else label


def _found(
    folder: Path, entry: Mapping[str, Any] | None, heads: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    if entry is None:
        return {"status": PENDING, "reason": "not looked at yet: run the sweep again"}
    key = entry["key"]
    if key is None:
        return {"status": entry["status"], "reason": entry["reason"]}
    if key not in heads:
        heads[key] = _head(folder, key)
    return heads[key]


def _head(folder: Path, key: str) -> dict[str, Any]:
    path = result_path(folder, key)
    try:
        head = head_of_result(path)
    except FileNotFoundError:
        reason = "its result was deleted: run the sweep again"
        return {"status": PENDING, "reason": reason}
    except (OSError, ValueError) as error:
        reason = f"its result {path.name} is damaged ({error}): delete it and run again"
        return {"status": FAILED, "reason": reason}
    metadata = {f"{META}{name}": value for name, value in head["metadata"].items()}
    return {"status": head["status"], "reason": "", **head["row"], **metadata}


def frame_of(folder: Path) -> pd.DataFrame:
    """Return the table of a sweep as a pandas DataFrame.

    Args:
        folder: Of the sweep, what ``--out`` named.

    Returns:
        One row per checkpoint, columns as in docs/sweep.md; a column of numbers is
        numeric, with NaN for what does not apply or overflows.

    Raises:
        UsageError: It is no folder of results, or its list of sources is damaged.
    """
    import pandas as pd

    rows = rows_of_folder(folder)
    sources = read_sources(folder)
    carried = [_column(label) for source in sources for label in source.columns]
    names = ordered((name for row in rows for name in row), carried)
    return pd.DataFrame({
        name: series_of([row.get(name) for row in rows]) for name in names
    })


def series_of(values: list[Any]) -> pd.Series[Any]:
    """Return a column: numbers, booleans, or text; never a mixture.

    Args:
        values: Plain ones, None where there is none.
    """
    import pandas as pd

    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and all(
        type(value) is not int or abs(value) < 2**63 for value in values
    ):
        whole = kinds == {int} and None not in values
        return pd.Series(values, dtype="int64" if whole else "float64")
    if kinds == {bool}:
        return pd.Series(values, dtype="bool" if None not in values else "boolean")
    return pd.Series(
        [None if value is None else _text(value) for value in values], dtype="object"
    )


def _text(value: Any) -> str:
    """Return text that UTF-8 can hold: a file name need not be any."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def write_tables(frame: pd.DataFrame, folder: Path) -> list[Path]:
    """Write ``results.csv``, and ``results.parquet`` where pyarrow is installed.

    Args:
        frame: Of the sweep.
        folder: Of the sweep.

    Returns:
        The files.

    Raises:
        OSError: The folder cannot be written.
    """
    written = folder / "results.csv", folder / "results.parquet"
    write_whole(written[0], frame.to_csv(index=False, lineterminator="\n").encode())
    packed = _packed(frame)
    if packed is None:
        # What lies there from an earlier run would be taken for this one.
        written[1].unlink(missing_ok=True)
        return [written[0]]
    write_whole(written[1], packed)
    return list(written)


def _packed(frame: pd.DataFrame) -> bytes | None:
    buffer = io.BytesIO()
    try:
        frame.to_parquet(buffer, index=False, engine="pyarrow")
    except ImportError:
        return None
    return buffer.getvalue()
