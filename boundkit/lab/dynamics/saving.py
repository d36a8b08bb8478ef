"""A simulation as files of a folder, each there in full or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from boundkit.errors import UsageError

if TYPE_CHECKING:
    import os

    from boundkit.lab.dynamics.simulation import Simulation

__all__ = ["prepared", "saved"]


def prepared(folder: str | os.PathLike[str]) -> Path:
    """Make a folder, before the work rather than after.

    Args:
        folder: With its parents.

    Raises:
        UsageError: The operating system refuses.
    """
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write to '{place}': {error.strerror or error}; choose another folder"
        ) from error
    return place


def saved(simulation: Simulation, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write tables as CSV, everything as JSON, and a PNG of each chart.

    Args:
        simulation: To write down.
        folder: Made where it does not exist; older files of these names are replaced.

    Returns:
        The files.

    Raises:
        UsageError: The operating system refuses, or something else is in a file's place.
    """
    from boundkit.lab.dynamics.charts import drawn
    from boundkit.lab.dynamics.documents import render, table_of
    from boundkit.plot import save
    from boundkit.sweeping.atomic import write_whole

    place = prepared(folder)
    texts = {f"{simulation.system}.json": render(simulation)}
    for at, table in enumerate(simulation.tables):
        stem = f"-{table.name}" if at else ""
        texts[f"{simulation.system}{stem}.csv"] = table_of(table)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(place / name, text.encode())
    except OSError as error:
        raise UsageError(
            f"cannot write to '{error.filename or place}': {error.strerror or error};"
            " choose another folder"
        ) from error
    return (*(place / name for name in texts), *save(drawn(simulation.charts), place))
