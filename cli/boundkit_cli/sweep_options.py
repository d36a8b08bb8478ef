"""The options that only ``boundkit sweep`` has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Jobs", "Out", "Scheduler", "Sources"]


def _at_least_one(value: int | None) -> int | None:
    if value is not None and value < 1:
        raise typer.BadParameter(f"it must be at least 1, but got {value}")
    return value


Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE...",
        help="Checkpoints, folders, patterns ('runs/**/*.pt'), URLs (s3://, gs://, "
        "hf://, https://), or manifests (.csv, .tsv, .jsonl with a column path; .txt); "
        "none to go on with those of the folder.",
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="DIR", help="Folder of the results, to go on with later."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="INT",
        callback=_at_least_one,
        help="Processes at once; by default what cores and memory allow.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler whose workers do the work, such as tcp://10.0.0.1:8786.",
    ),
]
