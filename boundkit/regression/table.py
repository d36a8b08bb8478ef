"""A table of nets from whatever holds one: a frame, a file, or the folder of a sweep."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ENDINGS", "columns_in_words", "table_of"]

#: What a table file may be called.
ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_SWEEP = "sweep.json"
#: Columns that a message lists.
_LISTED = 20


def table_of(table: Any) -> tuple[pd.DataFrame, str]:
    """Return a table as a pandas frame with rows numbered from 0, and its name.

    Args:
        table: A frame, a mapping of columns, rows as mappings, the path of a ``.csv``,
            ``.tsv``, ``.jsonl`` or ``.parquet`` file, or the folder of a sweep.

    Returns:
        The frame, a copy whose columns have names of text, and the path or ``""``.

    Raises:
        DataError: It cannot be read as a table.
    """
    import pandas as pd

    if isinstance(table, str | os.PathLike):
        return _of_path(Path(table)), str(table)
    if isinstance(table, pd.DataFrame):
        frame = table.reset_index(drop=True)
    else:
        try:
            frame = pd.DataFrame(table)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"the table, a {type(table).__name__}, is none ({error}); give a frame, "
                "a mapping of columns, a file, or the folder of a sweep"
            ) from None
    return _checked(frame.copy(), ""), ""


def _of_path(path: Path) -> pd.DataFrame:
    if path.is_dir():
        return _of_folder(path)
    if path.suffix.lower() not in ENDINGS:
        there = "is not there" if not path.exists() else "is not called like a table"
        raise DataError(
            f"{path}: {there}; give a {', '.join(ENDINGS)} file or the folder of a sweep"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); check path and permissions"
        ) from None
    return _checked(_parsed(path, content), str(path))


def _of_folder(path: Path) -> pd.DataFrame:
    if (path / _SWEEP).is_file():
        from boundkit.sweeping.table import frame_of

        return _checked(frame_of(path), str(path))
    for name in ("results.parquet", "results.csv"):
        if (path / name).is_file():
            return _of_path(path / name)
    raise DataError(
        f"{path}: the folder holds no results of a sweep; make some with "
        f"'boundkit sweep ... --out {path}', or name a table file"
    )


def _parsed(path: Path, content: bytes) -> pd.DataFrame:
    import pandas as pd

    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _of_parquet(path, content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: not UTF-8 text (byte {error.start}); save the table as UTF-8"
        ) from None
    if suffix in {".jsonl", ".ndjson"}:
        return pd.DataFrame(_lines(path, text))
    try:
        return pd.read_csv(
            io.StringIO(text), sep="\t" if suffix == ".tsv" else ",", low_memory=False
        )
    except (ValueError, pd.errors.ParserError) as error:
        cause = " ".join(str(error).split())
        raise DataError(
            f"{path}: no table of separated values ({cause}); mend the file"
        ) from None


def _of_parquet(path: Path, content: bytes) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except ImportError:
        raise DataError(
            f"{path}: Parquet needs pyarrow; pip install 'boundkit[parquet]', or give "
            "the CSV beside it"
        ) from None
    except (OSError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: no Parquet file ({cause}); write it again") from None


def _lines(path: Path, text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{path}: line {number} is not JSON ({error}); write one object a line"
            ) from None
        if not isinstance(row, dict):
            raise DataError(
                f"{path}: line {number} is no object; write one object a line"
            )
        rows.append({name: _cell(value) for name, value in row.items()})
    return rows


def _cell(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        return None
    return json.dumps(value) if isinstance(value, Mapping | list) else value


def _checked(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    frame.columns = [str(label) for label in frame.columns]
    where = f"{name}: " if name else ""
    double = frame.columns[frame.columns.duplicated()]
    if len(double):
        raise DataError(
            f"{where}there are two columns {double[0]!r}; give each its own name"
        )
    if frame.empty:
        raise DataError(f"{where}the table has no rows; give one for each net")
    return frame


def columns_in_words(frame: pd.DataFrame) -> str:
    """Return the columns of numbers of a frame, for a message.

    Args:
        frame: A table.
    """
    from pandas.api.types import is_numeric_dtype

    names = [name for name in frame.columns if is_numeric_dtype(frame[name])]
    shown = ", ".join(map(repr, names[:_LISTED]))
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{shown}{more}" if names else "none"
