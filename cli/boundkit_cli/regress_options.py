"""The options that only ``boundkit regress`` has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from boundkit_cli import completion
from boundkit_cli.files import check_writable
from boundkit_cli.values import at_least_one

__all__ = [
    "BarsFile",
    "By",
    "Formats",
    "Group",
    "Hyperparameters",
    "Level",
    "Log",
    "Measures",
    "Mix",
    "PlotFile",
    "Rank",
    "Resamples",
    "Seed",
    "Table",
    "TestSize",
    "X",
    "Y",
    "check_figure",
    "names",
    "parse_log",
    "require_fitting",
]

_LOGARITHMS = ("none", "x", "y", "xy")

Table = Annotated[
    str,
    typer.Argument(
        metavar="TABLE",
        help="Folder of a sweep, or a .csv, .tsv, .jsonl or .parquet file.",
    ),
]
X = Annotated[
    str, typer.Option("--x", metavar="COLUMN", help="The column to explain by.")
]
Y = Annotated[
    str | None,
    typer.Option(
        "--y",
        metavar="COLUMN",
        help="The column to explain; by default test_error, or else the error on the "
        "sweep's test data.",
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="COLUMN",
        help="Fit each value of this column apart, and all in one model.",
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="COLUMN,...",
        help="Average rows that agree in these columns, such as over seeds.",
    ),
]
Log = Annotated[
    str,
    typer.Option(
        "--log", metavar="AXES", help="Take logarithms to base 10: none, x, y or xy."
    ),
]
Mix = Annotated[
    bool,
    typer.Option(
        "--mix", help="Allow several architectures or training-set sizes together."
    ),
]
Rank = Annotated[
    bool,
    typer.Option("--rank", help="Rank all measures by how well they order the errors."),
]
Measures = Annotated[
    str | None,
    typer.Option(
        "--measures", metavar="COLUMN,...", help="With --rank: what to rank; else all."
    ),
]
Hyperparameters = Annotated[
    str | None,
    typer.Option(
        "--hyperparameters",
        metavar="COLUMN,...",
        help="With --rank: what was varied; else columns whose values repeat.",
    ),
]
TestSize = Annotated[
    int | None,
    typer.Option(
        "--test-size",
        metavar="INT",
        callback=at_least_one,
        help="With --rank: test samples behind each error, so that noise counts less.",
    ),
]
Level = Annotated[
    float,
    typer.Option("--level", metavar="FLOAT", help="Of every interval."),
]
Resamples = Annotated[
    int,
    typer.Option("--resamples", metavar="INT", help="Of the bootstrap."),
]
Seed = Annotated[
    int,
    typer.Option("--seed", metavar="INT", min=0, help="Of bootstrap and permutations."),
]
PlotFile = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="PATH",
        help="Draw the line, or the ranking, into a .png or .svg file.",
    ),
]
BarsFile = Annotated[
    Path | None,
    typer.Option(
        "--bars",
        metavar="PATH",
        help="Draw x and y as bars over the columns of --by into a .png or .svg file.",
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME[=PATH]",
        autocompletion=completion.formats,
        help="text (default), json, csv or html, on stdout or into a file. May be repeated.",
    ),
]


def names(written: str | None) -> tuple[str, ...] | None:
    """Return names between commas; None where nothing is written."""
    if written is None:
        return None
    return tuple(name.strip() for name in written.split(",") if name.strip())


def parse_log(written: str) -> Literal["none", "x", "y", "xy"]:
    """Return the axes to take logarithms of.

    Raises:
        typer.BadParameter: If it is none of the four words.
    """
    if written not in _LOGARITHMS:
        raise typer.BadParameter(
            f"axes must be one of {', '.join(_LOGARITHMS)}, but got '{written}'",
            param_hint="'--log'",
        )
    return cast("Literal['none', 'x', 'y', 'xy']", written)


def check_figure(path: Path, table: str) -> None:
    """Refuse a place for a figure before the work is done rather than after.

    Raises:
        typer.BadParameter: If it is called otherwise, or cannot be written.
    """
    if path.suffix not in {".png", ".svg"}:
        raise typer.BadParameter(
            f"figures are called .png or .svg, but got '{path}'", param_hint="'--plot'"
        )
    check_writable(path, table)


def require_fitting(
    rank: bool,
    group: str | None,
    by: str | None,
    bars: Path | None,
    measures: str | None,
    hyperparameters: str | None,
    test_size: int | None,
) -> None:
    """Refuse options that the other half of the command has.

    Raises:
        typer.BadParameter: If one was given in vain.
    """
    line = {"--group": group, "--by": by, "--bars": bars}
    ranking = {
        "--measures": measures,
        "--hyperparameters": hyperparameters,
        "--test-size": test_size,
    }
    for option, value in (line if rank else ranking).items():
        if value is not None:
            word = "does not go with --rank" if rank else "goes only with --rank"
            raise typer.BadParameter(f"{option} {word}; leave one of them out")
    if bars is not None and by is None:
        raise typer.BadParameter("--bars needs --by, the columns that bars stand on")
