"""Writes docs/schema.md from the JSON Schemas that ship; ``--check`` only compares.

python docs/generate_schema.py [--check]
"""

from __future__ import annotations

import sys
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from boundkit.gate import rendering
from boundkit.lab import documents as lab_documents
from boundkit.lab.dynamics import documents as dynamics_documents
from boundkit.posthoc import certificate
from boundkit.report import comparison_json, difference_formats
from boundkit.report import json as report_json
from boundkit.tracing import documents

__all__ = ["main", "page"]

_PAGE = Path(__file__).with_name("schema.md")
_SCHEMAS = {
    "report": report_json.schema,
    "comparison": comparison_json.schema,
    "certificate": certificate.schema,
    "verdict": rendering.schema,
    "diff": difference_formats.schema,
    "trace": documents.schema,
    "simulation": dynamics_documents.schema,
    "reproduction": lab_documents.schema,
}
_OPTIONAL = " (may be missing)"
_HEAD = """# JSON documents

<!-- Written by docs/generate_schema.py from the schemas that ship; edit those. -->

Everything that `--format json` writes is strict JSON in UTF-8: no NaN, no Infinity. `null`
stands where a number overflows (its logarithm then stands beside it), is not defined, or was
not asked for. The first key names the form, such as `boundkit.report/1`; within one number
keys are added and never change their meaning, so ignore what you do not know.

`boundkit schema NAME` prints the [JSON Schema](https://json-schema.org) itself; the tests hold
every document to it.
"""


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{{form}}-{name.replace('_', '-')})"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " or ".join(f"`{one}`" for one in field["enum"])
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " or ".join(_type(one) for one in field[several])
    kinds = field.get("type", "any")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(_kind(kind, field) for kind in kinds)


def _kind(kind: str, field: dict[str, Any]) -> str:
    if kind == "array" and isinstance(field.get("items"), dict):
        item = _type(field["items"])
        return f"list of ({item})" if " or " in item else f"list of {item}"
    more = field.get("additionalProperties")
    if kind == "object" and isinstance(more, dict) and not field.get("properties"):
        return f"object of {_type(more)}"
    return kind


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _rows(node: dict[str, Any], before: str, form: str) -> list[tuple[str, str, str]]:
    found = []
    required = set(node.get("required", ()))
    for name, field in node.get("properties", {}).items():
        optional = "" if name in required or not required else _OPTIONAL
        kind = _type(field).replace("{form}", form)
        found.append((
            f"`{before}{name}`",
            kind,
            field.get("description", "") + optional,
        ))
        found += _rows(field, f"{before}{name}.", form)
    return found


def _table(node: dict[str, Any], form: str) -> list[str]:
    # Dozens of measures have one type and no words of their own.
    rows = _rows(node, "", form)
    lines = ["| field | type | what |", "|---|---|---|"]
    for (kind, what), group in groupby(rows, key=itemgetter(1, 2)):
        names = [name for name, _, _ in group]
        cells = names if what.removesuffix(_OPTIONAL) else [", ".join(names)]
        lines += [f"| {one} | {_cell(kind)} | {_cell(what)} |" for one in cells]
    return [*lines, ""]


def _section(form: str, schema: dict[str, Any]) -> str:
    about = schema.get("description", schema.get("title", ""))
    lines = [f"## {form}", "", f"`boundkit.{form}/1`. {about}", ""]
    lines += _table(schema, form)
    for name, node in schema.get("$defs", {}).items():
        lines += [f"### {form}: {name} {{ #{form}-{name.replace('_', '-')} }}", ""]
        if "description" in node:
            lines += [node["description"], ""]
        if "properties" in node:
            lines += _table(node, form)
        else:
            lines += [f"A value: {_type(node).replace('{form}', form)}.", ""]
    return "\n".join(lines)


def page() -> str:
    """Return docs/schema.md as it should be."""
    sections = [_section(form, schema()) for form, schema in _SCHEMAS.items()]
    return "\n".join((_HEAD, *sections)).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` return 1 if it is out of date."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"usage: {__doc__}")
        return 2
    if not arguments:
        _PAGE.write_text(page(), encoding="utf-8")
        return 0
    if _PAGE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write(
        "docs/schema.md is out of date: run python docs/generate_schema.py\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
