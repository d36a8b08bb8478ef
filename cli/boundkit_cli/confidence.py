"""The option that says what the confidence terms of bounds rest on."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from boundkit_cli import completion

__all__ = ["Confidence", "parse_confidence"]

Confidence = Annotated[
    str,
    typer.Option(
        "--confidence",
        metavar="empirical|normalized",
        autocompletion=completion.words("empirical", "normalized"),
        help="Form of the confidence terms, to be fixed before looking; normalized rests "
        "on preprocessing that the data declare.",
    ),
]


def parse_confidence(written: str) -> Literal["empirical", "normalized"]:
    """Return the form.

    Raises:
        typer.BadParameter: If there is no such form.
    """
    if written == "normalized":
        return "normalized"
    if written == "empirical":
        return "empirical"
    raise typer.BadParameter(
        f"the form must be empirical or normalized, but got '{written}'",
        param_hint="--confidence",
    )
