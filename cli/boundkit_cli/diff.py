"""``boundkit diff``: what changed from one stored report to another."""

from __future__ import annotations

from typing import Annotated

import typer

from boundkit_cli import completion
from boundkit_cli import options as opt
from boundkit_cli.exits import DONE
from boundkit_cli.targets import deliver, targets

__all__ = ["diff"]

_Old = Annotated[
    str, typer.Argument(metavar="OLD.json", help="A report that analyze wrote as JSON.")
]
_New = Annotated[
    str, typer.Argument(metavar="NEW.json", help="Another one, of a later checkpoint.")
]
_Tolerance = Annotated[
    float,
    typer.Option(
        "--rtol",
        metavar="FLOAT",
        help="Numbers are the same up to this share of the larger one.",
    ),
]
_Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME[=PATH]",
        autocompletion=completion.formats,
        help="text (default), json or markdown, on stdout or into a file. May be "
        "repeated.",
    ),
]


def diff(
    old: _Old,
    new: _New,
    rtol: _Tolerance = 1e-9,
    formats: _Formats = None,
    output: opt.Output = None,
    quiet: opt.Quiet = False,
) -> int:
    """Show what changed from one report to another, number by number.

    A difference is no failure; limits are the business of boundkit check.

    \b
    Example:
      boundkit diff main.json report.json
      boundkit diff main.json report.json --rtol 0.01 --format markdown

    \b
    Exit codes:
      0  done
      2  wrong usage
      3  a report cannot be read
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    from boundkit.report.difference import diff as differing
    from boundkit.report.difference_formats import DIFFERENCE_FORMATS

    wanted = targets(formats or [], output, [old, new], DIFFERENCE_FORMATS)
    deliver(differing(old, new, rtol=rtol), wanted, quiet)
    return DONE
