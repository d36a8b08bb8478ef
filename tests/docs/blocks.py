"""The fenced blocks of a page, the commands in them, and whether the pages run them."""

import re
import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from boundkit_cli.app import app
from typer.main import get_command

ROOT = Path(__file__).parents[2]
#: Pages whose every runnable block runs, or says why not.
PAGES = sorted([
    *(ROOT / "docs").rglob("*.md"),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
])
#: Pages whose commands are held against the options that there are.
OTHERS = sorted([
    ROOT / "benchmarks/README.md",
    ROOT / "fixtures/README.md",
    *(ROOT / "examples").glob("*/README.md"),
])
COMMANDS = get_command(app).commands
#: Languages of blocks that can run.
RUNNABLE = frozenset({"bash", "console", "python"})
PLAIN = frozenset({"", "text", "toml", "yaml", "json"})

_FENCE = re.compile(
    r"(?:^<!-- (?P<marker>[^\n]*?) -->\n)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_OPERATORS = re.compile(r"\s(>>?|<|\||&&|;)\s?.*$", re.DOTALL)
_PROGRAM = re.compile(
    r"^(?:torchrun .*-m boundkit_cli|(?:python -m )?boundkit(?:_cli)?) "
)
_EXIT = re.compile(r"\s+# exit (\d+)$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        place: Page and line, for people.
        language: What stands behind the fence.
        text: The lines between.
        reason: Why it does not run, or "".
    """

    place: str
    language: str
    text: str
    marker: str

    @property
    def reason(self):
        name, _, reason = self.marker.partition(":")
        if name == "ci":
            return "the pipeline runs it in a fresh environment"
        return reason.strip() if name == "not run" else ""


@dataclass(frozen=True, slots=True)
class Command:
    """One line for a shell, with the output that the page shows below it."""

    line: str
    exit: int
    shown: tuple[str, ...]


def blocks(page):
    """Return the blocks of a page in their order."""
    text = page.read_text("utf-8")
    name = page.relative_to(ROOT).as_posix()
    return [
        Block(
            f"{name}:{text.count(chr(10), 0, found.start('text'))}",
            found["language"],
            found["text"],
            found["marker"] or "",
        )
        for found in _FENCE.finditer(text)
    ]


def commands(block):
    """Return the commands of a block that runs."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "bash":
        lines = [f"$ {line}" for line in lines if line.strip() and line[0] != "#"]
    found = []
    for line in lines:
        if line.startswith("$ "):
            told = _EXIT.search(line)
            typed = line[2:] if told is None else line[2 : told.start()]
            found.append((typed, int(told[1]) if told else 0, []))
        elif found:
            found[-1][2].append(line.rstrip())
    return [Command(line, code, tuple(shown)) for line, code, shown in found]


@contextmanager
def parsed(arguments):
    """Parse the arguments of a command, or of a command of a group, without running it.

    Yields:
        The context of the innermost command.
    """
    name, *rest = arguments
    command = COMMANDS[name]
    inner = getattr(command, "commands", {})
    if inner and rest and rest[0] in inner:
        command, rest = inner[rest[0]], rest[1:]
    with command.make_context(name, rest) as context:
        yield context


def calls(text):
    """Return the arguments of every call of boundkit that a text shows."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        typed = line.strip().removeprefix("$ ").removeprefix("- ")
        program = _PROGRAM.match(typed)
        if program is None:
            continue
        rest = _OPERATORS.sub("", typed[program.end() :])
        try:
            arguments = shlex.split(rest, comments=True)
        except ValueError:  # prose with an apostrophe
            continue
        if arguments and re.fullmatch(r"[a-z]+", arguments[0]):
            found.append(arguments)
    return found
