"""Writes docs/cli.md from the help texts; ``--check`` only says whether it is current.

python docs/generate_cli.py [--check]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from boundkit_cli.app import app
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["main", "page"]

_PAGE = Path(__file__).with_name("cli.md")
_HEAD = """# The command line

<!-- Written by docs/generate_cli.py from the help texts; edit those. -->

Data go to stdout; messages, warnings and progress to stderr. Exit codes, for every command:

| code | means |
|---|---|
| 0 | done |
| 1 | a gate failed (`--min-coverage`) |
| 2 | wrong usage: an option or argument makes no sense |
| 3 | the input is unreadable, refused or empty: one line on stderr says what, where, why, what to do |
| 4 | analyzed and reported, but numbers in the report are not finite or not defined; each is named |
| 70 | a bug in boundkit: please report it, with `BOUNDKIT_TRACEBACK=1` |
| 130, 141 | interrupted; the reader of the output has gone away |

`boundkit` is also `python -m boundkit_cli`.
"""


def _help(*command: str) -> str:
    # A process of its own, so that the width is the one that is set here.
    return subprocess.run(
        [sys.executable, "-m", "boundkit_cli", *command, "--help"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"},
    ).stdout


def _section(*command: str) -> str:
    lines = (line.rstrip() for line in _help(*command).rstrip().splitlines())
    title = " ".join(("boundkit", *command))
    return "\n".join((f"\n## {title}\n", "```text", *lines, "```", ""))


def page() -> str:
    """Return docs/cli.md as it should be."""
    return _HEAD + _section() + "".join(_tree(get_command(app)))


def _tree(group: object, *above: str) -> Iterator[str]:
    for name, command in sorted(getattr(group, "commands", {}).items()):
        yield _section(*above, name)
        yield from _tree(command, *above, name)


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` return 1 if it is out of date."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"usage: {__doc__}")
        return 2
    if not arguments:
        _PAGE.write_text(page(), encoding="utf-8")
        return 0
    if _PAGE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write("docs/cli.md is out of date: run python docs/generate_cli.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
