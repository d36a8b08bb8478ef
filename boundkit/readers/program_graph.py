"""The graph in a ``torch.export`` archive, which is JSON: parsed, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundkit.readers.strict_json import parse
from boundkit.readers.torch_records import find_root
from boundkit.readers.zip_archive import open_archive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["program_graph"]

#: Where releases of torch from 2.8, and those before, keep it.
_NAMES = ("models/model.json", "serialized_exported_program.json")


def program_graph(path: Path) -> Mapping[str, Any] | None:
    """Return the description of the program in an archive.

    Schema: ``torch/_export/serde/schema.py``, ``ExportedProgram``.

    Args:
        path: An archive that torch.export wrote.

    Returns:
        The parsed JSON, or None where there is none or there are several programs.

    Raises:
        Unreadable: It is damaged.
    """
    archive = open_archive(path)
    for name in _NAMES:
        root = find_root(archive.members, name)
        if root is not None:
            text = archive.content(f"{root}{name}")
            return parse(text, path, "the program's graph", "export the model again")
    return None
