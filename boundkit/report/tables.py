"""The tables of a report as files for other programs: CSV or Parquet."""

from __future__ import annotations

import csv
import os
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from boundkit.errors import UsageError
from boundkit.report.json import SPECTRAL_COLUMNS, document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.report.model import Report

__all__ = ["TABLES", "TABLE_FORMATS", "TableFormat", "table", "write_tables"]

TableFormat: TypeAlias = Literal["csv", "parquet"]

TABLE_FORMATS: tuple[TableFormat, ...] = ("csv", "parquet")

#: Names of the tables and of their columns, which are there when no row is.
TABLES = {
    "layers": (
        "name", "kind", "shape", "parameters", "rho", "log10_rho", "counted", "geometry",
        *SPECTRAL_COLUMNS,
    ),
    "ledger": ("tensor", "shape", "dtype", "status", "layer", "reason", "parameter"),
    "certificates": (
        "bound", "status", "value", "log10", "vacuous", "delta", "source", "note",
    ),
    "terms": ("bound", "term", "value", "text"),
    "assumptions": ("bound", "name", "holds", "detail"),
    "measurements": (
        "name", "layer", "value", "log10", "unit", "stderr", "source", "kind",
    ),
    "warnings": ("code", "message", "tensor"),
}  # fmt: skip

_FLAGS = frozenset({"counted", "parameter", "vacuous", "holds"})
_NUMBERS = frozenset({
    *("rho", "log10_rho", "value", "log10", "delta", "stderr"),
    *SPECTRAL_COLUMNS,
})


def table(report: Report, name: str) -> list[dict[str, Any]]:
    """Return one table of a report as rows of plain cells.

    A shape is written ``256x1x4x4``. Terms and assumptions of the certificates are
    tables of their own, with the bound in each row.

    Args:
        report: Whose table.
        name: One of ``TABLES``.

    Raises:
        UsageError: There is no such table.
    """
    if name not in TABLES:
        raise UsageError(
            f"the table must be one of {', '.join(TABLES)}, but got {name!a}"
        )
    return _rows(document(report), name)


def write_tables(
    report: Report, folder: str | Path, form: TableFormat = "csv"
) -> tuple[Path, ...]:
    """Write every table of a report into a folder, one file each.

    Args:
        report: What to write.
        folder: Is made if there is none.
        form: ``"csv"`` (UTF-8, a header, empty where a cell is unknown) or ``"parquet"``.

    Returns:
        The files; each is there in full or not at all.

    Raises:
        UsageError: There is no such format, the folder cannot be written, or pyarrow is
            missing.
    """
    if form not in TABLE_FORMATS:
        known = " or ".join(TABLE_FORMATS)
        raise UsageError(f"tables are written as {known}, but got {form!a}")
    whole = document(report)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        return tuple(
            _replaced(
                Path(folder) / f"{name}.{form}", _bytes(_rows(whole, name), name, form)
            )
            for name in TABLES
        )
    except OSError as error:
        raise UsageError(
            f"cannot write tables to {str(folder)!a}: {error.strerror or error}; choose "
            "another folder"
        ) from None


def _rows(whole: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    if name == "terms":
        return [
            {"bound": one["bound"], "term": term, **_term(value)}
            for one in whole["certificates"]
            for term, value in one["terms"].items()
        ]
    if name == "assumptions":
        return [
            {"bound": one["bound"], **each}
            for one in whole["certificates"]
            for each in one["assumptions"]
        ]
    return [{key: _cell(row.get(key)) for key in TABLES[name]} for row in whole[name]]


def _term(value: Any) -> dict[str, Any]:
    number = isinstance(value, int | float)
    text = None if number or value is None else str(value)
    return {"value": float(value) if number else None, "text": text}


def _cell(value: Any) -> Any:
    return "x".join(map(str, value)) if isinstance(value, list) else value


def _bytes(rows: list[dict[str, Any]], name: str, form: TableFormat) -> bytes:
    return _csv(rows, name) if form == "csv" else _parquet(rows, name)


def _csv(rows: list[dict[str, Any]], name: str) -> bytes:
    written = StringIO(newline="")
    writer = csv.DictWriter(written, TABLES[name], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue().encode("utf-8", "backslashreplace")


def _parquet(rows: list[dict[str, Any]], name: str) -> bytes:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow: pip install 'boundkit[parquet]', or write csv"
        ) from None
    kinds = [(key, _kind(name, key)) for key in TABLES[name]]
    # Types are said, so that a column of nulls has the type it has in other reports.
    found = pa.Table.from_pylist(rows, schema=pa.schema(kinds))
    sink = pa.BufferOutputStream()
    parquet.write_table(found, sink)
    whole: bytes = sink.getvalue().to_pybytes()
    return whole


def _kind(name: str, key: str) -> str:
    if key in _FLAGS:
        return "bool"
    if key in _NUMBERS:
        return "float64"
    return "int64" if (name, key) == ("layers", "parameters") else "string"


def _replaced(path: Path, content: bytes) -> Path:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
