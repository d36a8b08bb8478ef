"""What all simulated systems have in common on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from boundkit_cli import values
from boundkit_cli.console import progress, talk
from boundkit_cli.exits import DONE, UNDEFINED
from boundkit_cli.targets import deliver, targets

__all__ = [
    "Atol",
    "Formats",
    "Out",
    "Points",
    "Rtol",
    "Seed",
    "Solver",
    "finish",
    "numbers",
    "whole_numbers",
]

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="Folder for tables (CSV), JSON and figures (PNG)."
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME[=PATH]",
        help="text (default), json or csv, on stdout or into a file. May be repeated.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="INT", help="Of the start.")]
Solver = Annotated[
    str,
    typer.Option(
        "--solver",
        metavar="RK45|DOP853|LSODA|Radau|BDF",
        help="Of scipy; Radau and BDF are for stiff systems.",
    ),
]
Rtol = Annotated[
    float,
    typer.Option(
        "--rtol",
        metavar="FLOAT",
        callback=values.positive,
        help="Relative tolerance of a step.",
    ),
]
Atol = Annotated[
    float,
    typer.Option(
        "--atol",
        metavar="FLOAT",
        callback=values.positive,
        help="Absolute tolerance of a step.",
    ),
]
Points = Annotated[
    int, typer.Option("--points", metavar="INT", help="Times to look at.")
]


def numbers(written: str, option: str) -> tuple[float, ...]:
    """Return numbers between commas.

    Raises:
        typer.BadParameter: If one is none.
    """
    try:
        return tuple(float(each) for each in written.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"it must be numbers between commas, but got '{written}'",
            param_hint=f"'{option}'",
        ) from None


def whole_numbers(written: str, option: str) -> tuple[int, ...]:
    """Return whole numbers between commas; none of an empty text.

    Raises:
        typer.BadParameter: If one is none.
    """
    try:
        return tuple(int(each) for each in written.split(",")) if written else ()
    except ValueError:
        raise typer.BadParameter(
            f"it must be whole numbers between commas, but got '{written}'",
            param_hint=f"'{option}'",
        ) from None


def finish(
    system: str,
    settings: Mapping[str, Any],
    out: Path | None,
    formats: list[str] | None,
    output: Path | None,
    quiet: bool,
) -> int:
    """Run a system, write what was asked for, and return the exit code."""
    from boundkit.lab.dynamics.formats import SIMULATION_FORMATS

    wanted = targets(formats or [], output, [system], SIMULATION_FORMATS)
    import boundkit

    with progress(quiet) as reporter:
        found = boundkit.simulate(system, out=out, progress=reporter, **settings)
    if out is not None and not quiet:
        talk(f"wrote tables, {system}.json and figures to {out}")
    deliver(found, wanted, quiet)
    return UNDEFINED if found.undefined else DONE
