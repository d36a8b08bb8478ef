"""``boundkit explain``: what the bounds say, and what they rest on."""

from __future__ import annotations

from typing import Annotated

import typer

from boundkit_cli.console import show, terminal_width
from boundkit_cli.exits import DONE

__all__ = ["explain"]

_Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="A bound; all are listed without."),
]


def explain(name: _Name = None) -> int:
    """List the bounds, or explain one of them.

    One is explained by statement, assumptions, source and corrections.

    \b
    Example:
      boundkit explain
      boundkit explain sparse_cnn
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    from boundkit.certify import BOUNDS
    from boundkit.report.explanation import catalog, explanation

    if name is None:
        show(catalog(BOUNDS, terminal_width()))
        return DONE
    known = {bound.id: bound for bound in BOUNDS}
    if name not in known:
        raise typer.BadParameter(
            f"the name must be one of {', '.join(known)}, but got '{name}'",
            param_hint="'NAME'",
        )
    show(explanation(known[name], terminal_width()))
    return DONE
