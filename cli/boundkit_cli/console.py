"""Everything that touches a terminal: data on stdout, talk and progress on stderr."""

from __future__ import annotations

import codecs
import os
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import typer

from boundkit_cli.exits import CLOSED_PIPE, USAGE

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from boundkit.report.spans import Line

__all__ = [
    "is_writer",
    "prepare",
    "progress",
    "show",
    "talk",
    "terminal_width",
    "write",
]

Report = Callable[[int, int | None, str], None]

_PLAIN = {"·": "-", "…": "...", "±": "+/-"}
_PATIENCE = 1.0
#: Set by torchrun for each process that it starts.
_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def is_writer() -> bool:
    """Return whether this process writes: alone, or the first one that torchrun started."""
    several = all(name in os.environ for name in _TORCHRUN)
    return not several or os.environ["RANK"] == "0"


def prepare() -> None:
    """Make standard output and error able to print any text, whatever their encoding."""
    codecs.register_error("boundkit", _replaced)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="boundkit")


def terminal_width() -> int:
    """Return the columns to write in: the terminal's up to 120, else 100."""
    if not sys.stdout.isatty():
        return 100
    from shutil import get_terminal_size

    return min(get_terminal_size((100, 24)).columns, 120)


def show(lines: Iterable[Line]) -> None:
    """Print styled lines to stdout: painted on a terminal, else plain."""
    if not _colorful(sys.stdout):
        from boundkit.report.spans import plain

        _guarded(lambda: sys.stdout.write(plain(lines)))
        return
    from rich.console import Console

    from boundkit.report.painting import painted

    console = Console(force_terminal=True, highlight=False, markup=False, emoji=False)
    texts = list(painted(lines, console))
    _guarded(lambda: console.print(*texts, sep="\n", soft_wrap=True))


def write(text: str) -> None:
    """Print a document to stdout as UTF-8, whatever the locale."""
    sys.stdout.flush()
    _guarded(lambda: sys.stdout.buffer.write(text.encode()))


def talk(message: str) -> None:
    """Say one line on stderr."""
    sys.stderr.write(f"boundkit: {message}\n")


@contextmanager
def progress(quiet: bool) -> Generator[Report | None]:
    """Yield a function that reports progress, or None where nobody would see it.

    The bar is drawn on stderr, after a second, and is gone at the end.
    """
    if quiet or not sys.stderr.isatty() or not is_writer():
        yield None
        return
    bar = _Bar()
    try:
        yield bar.update
    finally:
        bar.close()


class _Bar:
    """A progress bar that comes into being once the wait is long enough."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._drawn: tuple[Progress, TaskID] | None = None

    def update(self, done: int, total: int | None, what: str) -> None:
        """Show that ``done`` of ``total`` (None: unknown) are done of ``what``."""
        if self._drawn is None:
            if time.monotonic() - self._since < _PATIENCE:
                return
            self._drawn = _drawn()
        from boundkit.report.escape import escape

        bar, task = self._drawn
        bar.update(task, completed=done, total=total, description=escape(what)[:60])

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn is not None:
            self._drawn[0].stop()


def _drawn() -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.start()
    return bar, bar.add_task("", total=None)


def _colorful(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _guarded(action: Callable[[], object]) -> None:
    """Write and flush; a reader that has gone away ends the program in silence."""
    try:
        action()
        sys.stdout.flush()
    except OSError as error:
        # The interpreter flushes stdout once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(CLOSED_PIPE) from None
        talk(f"error: cannot write to standard output: {error.strerror}; make room")
        raise typer.Exit(USAGE) from None


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError):
        char = error.object[error.start]
        if char in _PLAIN:
            return _PLAIN[char], error.start + 1
    return codecs.backslashreplace_errors(error)
