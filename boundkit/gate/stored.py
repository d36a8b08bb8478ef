"""Reports read back from their JSON files, without anything else of boundkit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.report.reading import read_document, report_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_report", "read_report"]


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
    """Return a stored report as dicts and lists, every part of the right kind.

    Args:
        path: Of a file that ``--format json`` wrote.

    Raises:
        DataError: It cannot be read, is no JSON, or is no report of this version.
    """
    document = read_document(path)
    report_of(document, str(path))
    return document
