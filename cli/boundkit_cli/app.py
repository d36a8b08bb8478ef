"""The program: its commands, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import sleep
from typing import Annotated, cast

import typer

from boundkit_cli.analyze import analyze
from boundkit_cli.check import check
from boundkit_cli.code import code
from boundkit_cli.compare import compare
from boundkit_cli.console import is_writer, prepare, talk
from boundkit_cli.diff import diff
from boundkit_cli.draw import draw
from boundkit_cli.exits import DONE, INTERNAL, INTERRUPTED, USAGE, exit_of
from boundkit_cli.explain import explain
from boundkit_cli.holdout import holdout
from boundkit_cli.regress import regress
from boundkit_cli.report import report
from boundkit_cli.reproduce import reproduce
from boundkit_cli.schema import schema
from boundkit_cli.simulate import simulate
from boundkit_cli.sweep import sweep
from boundkit_cli.trace import trace
from boundkit_cli.verify import verify

__all__ = ["app", "main", "run"]

app = typer.Typer(
    name="boundkit",
    # Plain help: rich would double the time that --help takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(analyze)
app.command()(check)
app.command()(code)
app.command()(compare)
app.command()(diff)
app.command()(draw)
app.command()(explain)
app.command()(holdout)
app.command()(regress)
app.command()(report)
app.command()(reproduce)
app.command()(schema)
app.add_typer(simulate)
app.command()(sweep)
app.command()(trace)
app.command()(verify)

# Typer has its own copy of click, or click itself, depending on its version; the root
# of its usage errors is reached through the one name that is public in both.
_UsageProblem = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])


#: Seconds that the first of several processes is given to tell what stopped them all.
_TELLING = 1.0


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command line with these arguments and return the exit code.

    No exception leaves; each becomes one line on stderr.
    """
    prepare()
    try:
        code = app(list(arguments), prog_name="boundkit", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        talk("interrupted")
        return INTERRUPTED
    except _UsageProblem as error:
        return _misused(error, arguments)
    except Exception as error:  # noqa: BLE001 - the last handler: a bug becomes one line
        return _failed(error, arguments)
    return DONE if code is None else int(code)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.")
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option(
            "--traceback",
            help="Show where an internal error arose; BOUNDKIT_TRACEBACK=1 does, too.",
        ),
    ] = False,
) -> None:
    """Say what learning theory can honestly say about a trained PyTorch checkpoint.

    \b
    Example:
      boundkit analyze net.pt
    """  # noqa: D301 - click reads a real backspace as "do not rewrap"
    del traceback  # Read in _failed, where the arguments may not have been parsed.
    if version:
        from boundkit import __version__

        typer.echo(f"boundkit {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(USAGE)


def _misused(error: typer.BadParameter, arguments: Sequence[str]) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "boundkit"
    message = _line(error.format_message()).rstrip(".") + _meant(command, arguments)
    talk(f"error: {message} (see {command} --help)")
    return USAGE


def _meant(command: str, arguments: Sequence[str]) -> str:
    """Say which command does what somebody may have wanted; "" if that is not plain."""
    first = arguments[0] if arguments else ""
    if command == "boundkit" and (Path(first).suffix or Path(first).exists()):
        return f"; to analyze a checkpoint: boundkit analyze {_line(first)}"
    paths = [one for one in arguments[1:] if Path(one).exists()]
    if command == "boundkit analyze" and len(paths) > 1:
        return "; it takes one: compare sets several side by side, sweep tabulates many"
    return ""


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    code = exit_of(error)
    if not is_writer() and _told(error):
        return code
    if code != INTERNAL:
        talk(f"error: {_line(str(error))}")
        return code
    if "--traceback" in arguments or os.environ.get("BOUNDKIT_TRACEBACK"):
        from traceback import print_exception

        print_exception(error)
    what = f"{type(error).__name__}: {error}".removesuffix(": ")
    talk(
        f"internal error: {_line(what)}; this is a bug in boundkit, please "
        "report it (BOUNDKIT_TRACEBACK=1 shows where it arose)"
    )
    return INTERNAL


def _told(error: Exception) -> bool:
    """Return whether the first process has the same error, and time to tell it."""
    from boundkit.measure.ranks import is_shared

    if not is_shared(error):
        return False
    # The end of one process makes torchrun end all of them.
    sleep(_TELLING)
    return True


def _line(message: str) -> str:
    """Return a message as one safe line."""
    from boundkit.report.escape import escape
    from boundkit.report.spans import clip

    return clip(escape(" ".join(message.split())), 1000)
