"""Where a report goes: a format, and a file or standard output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import typer

from boundkit_cli.console import show, talk, terminal_width, write
from boundkit_cli.files import check_writable, write_file

if TYPE_CHECKING:
    from boundkit.report import Format

__all__ = ["Target", "deliver", "targets"]

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Target(Generic[Subject]):
    """One format of the report, and its file (None: standard output)."""

    format: Format[Subject]
    path: Path | None


def targets(
    written: list[str],
    output: Path | None,
    sources: Sequence[str],
    known: Sequence[Format[Subject]],
) -> tuple[Target[Subject], ...]:
    """Return what ``--format`` and ``--output`` ask for; text on stdout by default.

    Args:
        written: What ``--format`` says.
        output: What ``--output`` says.
        sources: Checkpoints, which no output may replace.
        known: The formats there are.

    Raises:
        typer.BadParameter: If a format is unknown, two formats meet in one place, or
            a file cannot be written.
    """
    found = [_target(one, known) for one in written or ["text"]]
    if output is not None:
        free = [place for place, one in enumerate(found) if one.path is None]
        if not free:
            raise typer.BadParameter(
                f"every --format has a path already, so nothing is left for '{output}'; "
                "leave --output out",
                param_hint="'--output'",
            )
        found[free[0]] = Target(found[free[0]].format, output)
    _check_places(found)
    for one in found:
        if one.path is not None:
            for source in sources:
                check_writable(one.path, source)
    return tuple(found)


def deliver(report: Subject, wanted: tuple[Target[Subject], ...], quiet: bool) -> None:
    """Write the report to every target, files first."""
    for one in wanted:
        if one.path is not None:
            write_file(one.path, one.format.render(report))
            if not quiet:
                talk(f"wrote {one.path}")
    for one in wanted:
        if one.path is None:
            _print(report, one.format)


def _print(report: Subject, form: Format[Subject]) -> None:
    if form.lines is None:
        write(form.render(report))
    else:
        show(form.lines(report, terminal_width()))


def _target(written: str, known: Sequence[Format[Subject]]) -> Target[Subject]:
    name, equals, path = written.partition("=")
    form = next((one for one in known if one.name == name), None)
    if form is None:
        names = ", ".join(one.name for one in known)
        raise typer.BadParameter(
            f"the format must be one of {names}, but got '{name}'",
            param_hint="'--format'",
        )
    if equals and not path:
        raise typer.BadParameter(
            f"'{written}' names no file; write {name}=PATH or {name}",
            param_hint="'--format'",
        )
    return Target(form, Path(path) if path else None)


def _check_places(found: list[Target[Subject]]) -> None:
    places = [one.path and one.path.absolute() for one in found]
    for place in places:
        if places.count(place) > 1:
            names = " and ".join(
                one.format.name
                for one, at in zip(found, places, strict=True)
                if at == place
            )
            where = "standard output" if place is None else f"'{place}'"
            raise typer.BadParameter(
                f"{names} would both go to {where}; give each its own --format NAME=PATH",
                param_hint="'--format'",
            )
