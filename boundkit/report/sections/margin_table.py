"""Margins: how clearly the net decides, on each sample, raw and over rho."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boundkit.report.spans import Line, pad, wrap
from boundkit.report.wording import significant

if TYPE_CHECKING:
    from boundkit.report.model import Report

__all__ = ["margin_table"]

_COLUMNS = {
    "min": "min",
    "q01": "1 %",
    "q05": "5 %",
    "q10": "10 %",
    "median": "median",
    "mean": "mean",
}
#: What goes first where the line is short.
_DISPENSABLE = ("q05", "mean", "q10", "q01")
_LABEL, _CELL = 16, 10
_EQUILIBRIUM = {
    "rho_eq": "equilibrium rho",
    "rho_dot": "d rho / dt",
    "epsilon": "loss at equilibrium",
}


def margin_table(report: Report, width: int) -> tuple[Line, ...]:
    """Return quantiles of the margins per sample, and the equilibrium if it is known."""
    if report.margins is None:
        return ()
    train = report.margins if "mean" in report.margins else None
    samples = [
        (name, table)
        for name, table in (
            ("training", train),
            ("held-out", report.margins.get("test")),
        )
        if isinstance(table, Mapping)
    ]
    columns = _fitting(width)
    titles = "".join(_COLUMNS[name].rjust(_CELL) for name in columns)
    head = pad("  Margins", _LABEL) + titles + "error".rjust(_CELL)
    lines: list[Line] = [((head, "title"),)]
    for name, table in samples:
        lines.append(_row(f"    {name}", table, columns, table.get("train_error")))
        if isinstance(over := table.get("normalized"), Mapping):
            lines.append(_row("      over rho", over, columns, None))
    return (*lines, *_equilibrium(train, width))


def _fitting(width: int) -> list[str]:
    room = (width - _LABEL) // _CELL - 1
    dropped = _DISPENSABLE[: max(len(_COLUMNS) - room, 0)]
    return [name for name in _COLUMNS if name not in dropped]


def _row(
    label: str, table: Mapping[str, Any], columns: list[str], error: float | None
) -> Line:
    cells = "".join(_cell(table.get(name)).rjust(_CELL) for name in columns)
    rate = "" if error is None else f"{100 * error:.2f} %".rjust(_CELL)
    return ((pad(label, _LABEL), "dim"), (cells + rate, ""))


def _cell(value: float | None) -> str:
    return "-" if value is None else significant(value)


def _equilibrium(table: Mapping[str, Any] | None, width: int) -> list[Line]:
    over = (table or {}).get("normalized") or {}
    known = [
        f"{words} {significant(over[name])}"
        for name, words in _EQUILIBRIUM.items()
        if over.get(name) is not None
    ]
    if not known:
        return []
    return wrap([("; ".join(known), "dim")], width, 4, 6)
