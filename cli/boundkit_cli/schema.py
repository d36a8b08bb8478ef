"""``boundkit schema``: what JSON output looks like."""

from __future__ import annotations

from typing import Annotated

import typer

from boundkit_cli import completion
from boundkit_cli.console import write
from boundkit_cli.exits import DONE

__all__ = ["schema"]

_NAMES = (
    "report",
    "comparison",
    "certificate",
    "verdict",
    "diff",
    "trace",
    "simulation",
    "reproduction",
)
_Name = Annotated[
    str,
    typer.Argument(
        metavar="[NAME]",
        autocompletion=completion.words(*_NAMES),
        help="report (of analyze), comparison (of compare), certificate (of holdout, "
        "draw and code), verdict (of check), diff, trace, simulation (of simulate) or "
        "reproduction (of reproduce).",
        show_default="report",
    ),
]


def schema(name: _Name = "report") -> int:
    """Print the JSON Schema of --format json.

    \b
    Example:
      boundkit schema > boundkit-report.schema.json
      boundkit schema comparison
      boundkit schema certificate
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    if name not in _NAMES:
        raise typer.BadParameter(
            f"the name must be one of {', '.join(_NAMES)}, but got '{name}'",
            param_hint="'NAME'",
        )
    import json

    from boundkit.gate import rendering
    from boundkit.lab import documents as lab_documents
    from boundkit.lab.dynamics import documents as dynamics_documents
    from boundkit.posthoc import certificate
    from boundkit.report import comparison_json, difference_formats
    from boundkit.report import json as report_json
    from boundkit.tracing import documents

    found = {
        "report": report_json.schema,
        "comparison": comparison_json.schema,
        "certificate": certificate.schema,
        "verdict": rendering.schema,
        "diff": difference_formats.schema,
        "trace": documents.schema,
        "simulation": dynamics_documents.schema,
        "reproduction": lab_documents.schema,
    }[name]()
    write(json.dumps(found, indent=2) + "\n")
    return DONE
