"""``boundkit schema``: what JSON output looks like."""

from __future__ import annotations

from typing import Annotated

import typer

from boundkit_cli.console import write
from boundkit_cli.exits import DONE

__all__ = ["schema"]

_NAMES = ("report", "comparison")
_Name = Annotated[
    str,
    typer.Argument(
        metavar="[NAME]",
        help="report (of analyze) or comparison (of compare).",
        show_default="report",
    ),
]


def schema(name: _Name = "report") -> int:
    """Print the JSON Schema of --format json.

    \b
    Example:
      boundkit schema > boundkit-report.schema.json
      boundkit schema comparison
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    if name not in _NAMES:
        raise typer.BadParameter(
            f"the name must be one of {', '.join(_NAMES)}, but got '{name}'",
            param_hint="'NAME'",
        )
    import json

    from boundkit.report import comparison_json
    from boundkit.report import json as report_json

    found = report_json if name == "report" else comparison_json
    write(json.dumps(found.schema(), indent=2) + "\n")
    return DONE
