"""Where a report goes: a format, and a file or standard output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from boundkit_cli.console import show, talk, terminal_width, write
from boundkit_cli.files import check_writable, write_file

if TYPE_CHECKING:
    from boundkit.report import Format, Report

__all__ = ["Target", "deliver", "targets"]


@dataclass(frozen=True, slots=True)
class Target:
    """One format of the report, and its file (None: standard output)."""

    format: Format
    path: Path | None


def targets(written: list[str], output: Path | None, source: str) -> tuple[Target, ...]:
    """Return what ``--format`` and ``--output`` ask for; text on stdout by default.

    Raises:
        typer.BadParameter: If a format is unknown, two formats meet in one place, or
            a file cannot be written.
    """
    found = [_target(one) for one in written or ["text"]]
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
            check_writable(one.path, source)
    return tuple(found)


def deliver(report: Report, wanted: tuple[Target, ...], quiet: bool) -> None:
    """Write the report to every target, files first."""
    for one in wanted:
        if one.path is not None:
            write_file(one.path, one.format.render(report))
            if not quiet:
                talk(f"wrote {one.path}")
    for one in wanted:
        if one.path is None:
            _print(report, one.format)


def _print(report: Report, form: Format) -> None:
    if form.name != "text":
        write(form.render(report))
        return
    from boundkit.report.text import lines

    show(lines(report, terminal_width()))


def _target(written: str) -> Target:
    from boundkit.report import FORMATS

    name, equals, path = written.partition("=")
    form = next((one for one in FORMATS if one.name == name), None)
    if form is None:
        known = ", ".join(one.name for one in FORMATS)
        raise typer.BadParameter(
            f"the format must be one of {known}, but got '{name}'",
            param_hint="'--format'",
        )
    if equals and not path:
        raise typer.BadParameter(
            f"'{written}' names no file; write {name}=PATH or {name}",
            param_hint="'--format'",
        )
    return Target(form, Path(path) if path else None)


def _check_places(found: list[Target]) -> None:
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
