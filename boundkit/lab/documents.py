"""A reproduction as JSON and CSV, and back."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from boundkit.errors import DataError
from boundkit.lab.exhibit import Claimed, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["SCHEMA", "Reproduction", "read", "schema", "to_csv", "to_json"]

SCHEMA = "boundkit.reproduction/1"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What became of a figure.

    Attributes:
        figure: Its name.
        paper: ``"P0"`` to ``"P4"``.
        title: What it shows.
        scale: At which it was run.
        settings: Digest of all that decides the result; equal ones are not run again.
        images: Where the images were read from.
        device: Where it was run.
        outcome: What it shows.
        runs: Folder, seconds and state of every training it rests on.
        seconds: CPU time of measuring and of trainings that it shares, too.
        path: Of the JSON file; ``.csv`` and ``.png`` lie beside it.
        fresh: Whether anything was computed now.
    """

    figure: str
    paper: str
    title: str
    scale: str
    settings: str
    images: str
    device: str
    outcome: Outcome
    runs: tuple[Mapping[str, Any], ...]
    seconds: float
    path: Path
    fresh: bool

    @property
    def undefined(self) -> bool:
        """Whether numbers are not finite, such as those of a training that diverged."""
        return bool(self.outcome.undefined)


def to_json(found: Reproduction) -> bytes:
    """Return a reproduction as strict JSON; what is not finite is null."""
    from boundkit import __version__

    table = {"schema": SCHEMA, "boundkit": __version__} | asdict(found)
    del table["path"], table["fresh"]
    text = json.dumps(_plain(table), indent=1, allow_nan=False, ensure_ascii=False)
    return f"{text}\n".encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):
        value = value.item() if getattr(value, "ndim", 0) == 0 else value.tolist()
        return _plain(value) if isinstance(value, list) else _plain_number(value)
    return _plain_number(value)


def _plain_number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read(path: Path) -> Reproduction:
    """Return the reproduction in a JSON file.

    Args:
        path: Of the file.

    Raises:
        DataError: It is not one.
    """
    try:
        return _parsed(json.loads(path.read_bytes()), path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a result of boundkit reproduce ({type(error).__name__}); delete"
            " it to run the figure again"
        ) from error


def _parsed(table: dict[str, Any], path: Path) -> Reproduction:
    shown = table["outcome"]
    outcome = Outcome(
        claims=tuple(Claimed(**each) for each in shown["claims"]),
        tables={name: tuple(rows) for name, rows in shown["tables"].items()},
        series=shown["series"],
        notes=tuple(shown["notes"]),
        undefined=tuple(shown["undefined"]),
    )
    if table["schema"] != SCHEMA:
        raise ValueError(table["schema"])
    aside = {"schema", "boundkit", "outcome", "runs"}
    rest = {name: value for name, value in table.items() if name not in aside}
    runs = tuple(table["runs"])
    return Reproduction(**rest, outcome=outcome, runs=runs, path=path, fresh=False)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every document satisfies."""
    from importlib.resources import files

    path = files("boundkit.lab").joinpath("reproduction.schema.json")
    own: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return own


def to_csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as CSV; the columns are those of all rows, in the order of the first."""
    listed = [_plain(dict(row)) for row in rows]
    names = list(dict.fromkeys(name for row in listed for name in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return stream.getvalue().encode()
