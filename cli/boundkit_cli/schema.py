"""``boundkit schema``: what a JSON report looks like."""

from __future__ import annotations

from boundkit_cli.console import write
from boundkit_cli.exits import DONE

__all__ = ["schema"]


def schema() -> int:
    """Print the JSON Schema of --format json.

    \b
    Example:
      boundkit schema > boundkit-report.schema.json
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    import json

    from boundkit.report.json import schema as report_schema

    write(json.dumps(report_schema(), indent=2) + "\n")
    return DONE
