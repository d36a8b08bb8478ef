"""``boundkit explain``: what bounds say and rest on, and what measurements are."""

from __future__ import annotations

import difflib
from typing import Annotated

import typer

from boundkit_cli import completion
from boundkit_cli.console import show, terminal_width
from boundkit_cli.exits import DONE

__all__ = ["explain"]

_Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        autocompletion=completion.explained,
        help="A bound or a measurement; all are listed without.",
    ),
]


def _closest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, 3, 0.6)
    return f"did you mean {' or '.join(near)}? " if near else ""


def explain(name: _Name = None) -> int:
    """List the bounds and measurements, or explain one of them.

    A bound is explained by statement, assumptions, source and corrections, a
    certificate also by its terms, a measurement by formula, what it needs, and source.

    \b
    Example:
      boundkit explain
      boundkit explain sparse_cnn
      boundkit explain nc1_pinv
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    from boundkit.certify import BOUNDS
    from boundkit.measure.glossary import glossary
    from boundkit.posthoc.statements import STATEMENTS
    from boundkit.posthoc.wording import term_lines
    from boundkit.report.explanation import (
        Explained,
        catalog,
        explanation,
        glossary_list,
        meaning,
    )

    theorems: tuple[Explained, ...] = (*BOUNDS, *STATEMENTS)
    bounds = {theorem.id: theorem for theorem in theorems}
    measured = {entry.name: entry for entry in glossary()}
    width = terminal_width()
    if name is None:
        show((*catalog(theorems, width), (), *glossary_list(glossary(), width)))
    elif name in bounds:
        show((*explanation(bounds[name], width), *term_lines(name, width)))
    elif name.removesuffix("_stderr") in measured:
        show(meaning(measured[name.removesuffix("_stderr")], width))
    else:
        raise typer.BadParameter(
            f"there is no bound or measurement '{name}': "
            f"{_closest(name, [*bounds, *measured])}the bounds are {', '.join(bounds)}; "
            "boundkit explain lists the measurements",
            param_hint="'NAME'",
        )
    return DONE
