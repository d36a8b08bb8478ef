"""The options that only ``boundkit check`` has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Baseline",
    "Certificates",
    "Initial",
    "Policy",
    "Start",
    "Subject",
    "unused",
]

Subject = Annotated[
    str,
    typer.Argument(
        metavar="CKPT",
        help="A checkpoint, a report that analyze wrote as JSON, or a certificate of "
        "draw, code or holdout.",
    ),
]
Policy = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="What to ask for, in TOML."),
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="REPORT.json",
        help="An older report or certificate, for limits such as max_increase.",
    ),
]
Certificates = Annotated[
    list[Path] | None,
    typer.Option(
        "--certificate",
        metavar="CERT.json",
        help="What draw, code or holdout wrote about these weights; the policy may ask "
        "for its bound as for any other. May be repeated.",
    ),
]
Start = Annotated[
    bool,
    typer.Option(
        "--init",
        help="Write a commented policy that the checkpoint passes, to --output or "
        "stdout.",
    ),
]
Initial = Annotated[
    str | None,
    typer.Option(
        "--initial",
        metavar="CKPT",
        help="The checkpoint from before training, as --init of analyze.",
    ),
]

#: Options that have a meaning for stored files, too.
_ALWAYS = frozenset({
    "ckpt",
    "policy",
    "baseline",
    "certificates",
    "start",
    "formats",
    "output",
    "quiet",
})


def unused(context: typer.Context) -> list[str]:
    """Return the options of an analysis that the user gave.

    Args:
        context: Of the command.
    """
    given = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        told = source is not None and source.name != "DEFAULT"
        if told and parameter.name not in _ALWAYS:
            given.append(parameter.opts[0])
    return given
