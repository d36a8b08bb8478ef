"""Reports read back from their JSON files, without anything else of boundkit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.errors import DataError
from boundkit.report.model import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_report", "read_report"]

#: What a policy looks into; a document without them is no report.
_PARTS = (
    "checkpoint",
    "coverage",
    "layers",
    "rho",
    "measurements",
    "certificates",
    "warnings",
)


def is_report(path: str | Path) -> bool:
    """Return whether a file begins like a JSON document; checkpoints never do.

    Args:
        path: Of a file.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(512).lstrip()
    except OSError:
        return False
    return head.startswith(b"{")


def read_report(path: str | Path) -> Mapping[str, Any]:
    """Return a stored report as dicts and lists.

    Args:
        path: Of a file that ``--format json`` wrote.

    Raises:
        DataError: It cannot be read, is no JSON, or is no report of this version.
    """
    name = str(path)
    try:
        document = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise DataError(
            f"{name!a}: {error.strerror}; give a report that boundkit analyze "
            "--format json=PATH wrote"
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{name!a}: no JSON ({str(error)[:80]}); write the report again with "
            "boundkit analyze --format json=PATH"
        ) from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise DataError(
            f"{name!a}: it is no report: schema is {found!a}, not {SCHEMA!a}; write one "
            "with boundkit analyze --format json=PATH"
        )
    missing = [part for part in _PARTS if part not in document]
    if missing:
        raise DataError(
            f"{name!a}: the report lacks {', '.join(missing)}; write it again with "
            "boundkit analyze --format json=PATH"
        )
    known: Mapping[str, Any] = document
    return known
