"""A simulation as text: what was run, what came out, and every claim beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.escape import escape
from boundkit.report.spans import pad, plain, wrap
from boundkit.report.wording import significant

if TYPE_CHECKING:
    from boundkit.lab.dynamics.checks import Check
    from boundkit.lab.dynamics.simulation import Simulation
    from boundkit.report.spans import Line, Style

__all__ = ["lines", "render"]

_MIN_WIDTH = 60
_WORDS: dict[bool | None, tuple[str, Style]] = {
    True: ("holds", "good"),
    False: ("FAILS", "bad"),
    None: ("open", "fair"),
}


def lines(simulation: Simulation, width: int = 100) -> tuple[Line, ...]:
    """Return the simulation as lines of (text, style) pairs.

    Args:
        simulation: To show.
        width: Columns of a line; fewer than 60 are taken as 60.
    """
    room = max(width, _MIN_WIDTH)
    found: list[Line] = [*_heading(simulation, room), ()]
    for name, value in simulation.summary.items():
        found += wrap([(f"{escape(name)}: {_shown(value)}", "")], room, 2, 4)
    if simulation.stopped is not None:
        told = f"Stopped: {escape(simulation.stopped)}. What was computed is kept."
        found += [(), *wrap([(told, "bad")], room, 2, 2)]
    if simulation.checks:
        found += [(), *_checks(simulation, room)]
    if simulation.notes:
        found.append(())
    for note in simulation.notes:
        found += wrap([(escape(note), "dim")], room, 2, 2)
    return tuple(found)


def render(simulation: Simulation, width: int = 100) -> str:
    """Return the simulation as plain text.

    Args:
        simulation: To show.
        width: Columns of a line.
    """
    return plain(lines(simulation, width))


def _heading(simulation: Simulation, width: int) -> list[Line]:
    import boundkit

    return wrap(
        [
            (f"boundkit {boundkit.__version__}", "title"),
            (f"· simulate {simulation.system}", "name"),
            (f"· {escape(simulation.title)}", ""),
        ],
        width,
        0,
        2,
    )


def _checks(simulation: Simulation, width: int) -> list[Line]:
    """Return a table of claims, each with its numbers on one line and its words below."""
    heads = ("", "predicted", "found", "error", "allowed")
    rows = [_row(check) for check in simulation.checks]
    sizes = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    found: list[Line] = [((_joined(heads, sizes), "dim"),)]
    for check, row in zip(simulation.checks, rows, strict=True):
        word, style = _WORDS[check.holds]
        found.append(((_joined(row, sizes), ""), (f"  {word}", style)))
        told = f"{check.claim} ({check.source})"
        if check.reason:
            told += f": {check.reason}"
        found += wrap([(escape(told), "dim")], width, 6, 6)
    return found


def _row(check: Check) -> tuple[str, ...]:
    unit = " rel" if check.relative else ""
    return (
        check.name,
        _shown(check.predicted),
        _shown(check.found),
        "-" if check.error is None else f"{check.error:.1e}{unit}",
        "-" if check.tolerance is None else f"{check.tolerance:.0e}",
    )


def _joined(row: tuple[str, ...], sizes: list[int]) -> str:
    cells = [
        pad(text, size, "left" if at == 0 else "right")
        for at, (text, size) in enumerate(zip(row, sizes, strict=True))
    ]
    return "  " + "  ".join(cells)


def _shown(value: float | str | None) -> str:
    match value:
        case None:
            return "-"
        case str():
            return escape(value)
        case bool() | int():
            return f"{value:,}"
    return significant(value, 6) if abs(value) < float("inf") else str(value)
