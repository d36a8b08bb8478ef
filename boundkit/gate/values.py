"""Numbers of a report by their path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["best_of", "certificate_number", "named_row", "paths", "value_at"]

#: Tables of a report whose rows have a name, and what it is called there.
_ROWS = {"measurements": "name", "certificates": "bound", "layers": "name"}


def value_at(document: Mapping[str, Any], path: str) -> tuple[float | None, str]:
    """Return the number at a path, or None and why there is none.

    A path is made of keys with dots between them: ``rho.stored.log10``,
    ``margins.normalized.q05``, ``measurements.inverse_rho``,
    ``layers.head.weight.spectral_norm``.

    Args:
        document: A report as JSON.
        path: Keys; names of layers may have dots of their own.
    """
    head, _, rest = path.partition(".")
    if head in _ROWS and head in document:
        return _in_table(document[head], head, rest)
    return _descend(document, path)


def _in_table(
    rows: list[Mapping[str, Any]], table: str, rest: str
) -> tuple[float | None, str]:
    key = _ROWS[table]
    fits = [r for r in rows if rest == r[key] or rest.startswith(f"{r[key]}.")]
    if not fits:
        return None, f"there is no {table.rstrip('s')} {rest!a} in the report"
    row = max(fits, key=lambda r: len(str(r[key])))
    column = rest[len(str(row[key])) + 1 :] or "value"
    found, why = _descend(row, column)
    if found is None and row.get("note"):
        why = f"{why} ({row['note']})"
    return found, why


def _descend(node: Any, path: str) -> tuple[float | None, str]:
    for step in path.split("."):
        if node is None:
            return None, f"{path} is not in the report: that part was not computed"
        if not isinstance(node, Mapping) or step not in node:
            return None, f"{path} is not in the report"
        node = node[step]
    if isinstance(node, bool):
        return float(node), ""
    if isinstance(node, int | float):
        return float(node), ""
    return None, f"{path} is {'null' if node is None else 'not a number'}"


def named_row(
    document: Mapping[str, Any], table: str, name: str
) -> Mapping[str, Any] | None:
    """Return the row of a table that bears a name, or None.

    Args:
        document: A report as JSON.
        table: ``"measurements"``, ``"certificates"`` or ``"layers"``.
        name: What the row is called.
    """
    rows: list[Mapping[str, Any]] = document[table]
    return next((row for row in rows if row[_ROWS[table]] == name), None)


def certificate_number(row: Mapping[str, Any]) -> float | None:
    """Return the value of a certificate, infinity where it overflows, None if none.

    Args:
        row: Of the table of certificates.
    """
    value, log10 = row.get("value"), row.get("log10")
    if value is None and log10 is not None:
        return float("inf")
    return None if value is None else float(value)


def best_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the valid certificate with the smallest value, held-out ones aside.

    Args:
        document: A report as JSON.
    """
    valid = [
        row
        for row in document["certificates"]
        if row["status"] == "valid"
        and row["bound"] != "holdout"
        and row["value"] is not None
    ]
    return min(valid, key=lambda row: float(row["value"]), default=None)


def paths(document: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the path and value of every number that a policy may name.

    Args:
        document: A report as JSON.
    """
    for part in ("rho", "margins", "collapse", "noise"):
        yield from _numbers(document.get(part), part)
    for row in document["measurements"]:
        if row["layer"] is None and row["value"] is not None:
            yield f"measurements.{row['name']}", float(row["value"])


def _numbers(node: Any, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            # A key with a dot in it cannot be told from two.
            if "." not in str(key):
                yield from _numbers(value, f"{path}.{key}")
    elif isinstance(node, int | float):
        yield path, float(node)
