"""A simulation as strict JSON, ``boundkit.simulation/1``, and as CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

from boundkit.report import json as report_json

if TYPE_CHECKING:
    from boundkit.lab.dynamics.simulation import Simulation, Table

__all__ = ["SCHEMA", "document", "render", "schema", "table_of", "written_table"]

SCHEMA = "boundkit.simulation/1"


def document(simulation: Simulation) -> dict[str, Any]:
    """Return the simulation as dicts, lists, strings, numbers, booleans and None.

    Args:
        simulation: To write down; in tables, null is what is not defined.
    """
    import boundkit

    return report_json.checked({
        "schema": SCHEMA,
        "boundkit": boundkit.__version__,
        "system": simulation.system,
        "title": simulation.title,
        "settings": dict(simulation.settings),
        "summary": dict(simulation.summary),
        "stopped": simulation.stopped,
        "notes": list(simulation.notes),
        "checks": [asdict(check) for check in simulation.checks],
        "tables": [_table(table) for table in simulation.tables],
        "warnings": [],
    })


def _table(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "columns": [
            {
                "name": column.name,
                "unit": column.unit,
                "meaning": column.meaning,
                "blank": column.blank,
                "values": [
                    value if isfinite(value) else None
                    for value in column.numbers.tolist()
                ],
            }
            for column in table.columns
        ],
    }


def render(simulation: Simulation) -> str:
    """Return the simulation as one JSON document.

    Args:
        simulation: To write down.
    """
    return report_json.written(document(simulation))


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every document satisfies."""
    from importlib.resources import files

    path = files("boundkit.lab.dynamics").joinpath("simulation.schema.json")
    own: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return own


def written_table(simulation: Simulation) -> str:
    """Return the main table as CSV, an empty cell for what is not defined.

    Args:
        simulation: To write down.
    """
    return table_of(simulation.tables[0])


def table_of(table: Table) -> str:
    """Return a table as CSV, an empty cell for what is not defined.

    Args:
        table: To write down.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(column.name for column in table.columns)
    rows = zip(*(column.numbers.tolist() for column in table.columns), strict=True)
    writer.writerows(
        [repr(value) if isfinite(value) else "" for value in row] for row in rows
    )
    return stream.getvalue()
