"""Noise: how much gradients of minibatches differ, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boundkit.report.escape import escape
from boundkit.report.spans import Line, cells, clip, pad, wrap
from boundkit.report.wording import count, significant

if TYPE_CHECKING:
    from boundkit.report.model import Report

__all__ = ["noise_table"]

#: Column -> title; those after the first three go where no layer has them.
_COLUMNS = {
    "gradient_noise": "noise",
    "signal": "signal",
    "noise_scale": "noise scale",
    "update_norm": "update",
    "lemma8_residual": "Lemma 8",
    "distance_to_rank_2p": "to rank 2P",
    "weight_jitter": "jitter",
}
_ALWAYS = 3
_CELL, _LEAST_NAME = 18, 12
_MOST, _FIRST, _LAST = 30, 18, 8
#: Why a number may be missing; said once where it holds for all layers.
_SAID = ("update_norm", "rank_bound", "distance_to_rank_2p")


def noise_table(report: Report, width: int) -> tuple[Line, ...]:
    """Return noise, signal and their ratio for each layer, with standard errors.

    Where the table is too wide its last columns go; all are in the JSON report.
    """
    table = report.noise
    layers = (table or {}).get("layers")
    if not table or not isinstance(layers, Mapping) or not layers:
        return ()
    shown = _shown(layers)
    every = [*layers.values(), *([total] if (total := table.get("total")) else [])]
    cell = max(_CELL, 2 + max(cells(_text(row, key)) for row in every for key in shown))
    shown = shown[: max(1, (width - 2 - _LEAST_NAME) // cell)]
    room = width - 2 - cell * len(shown)
    name = min(room, max(10, *(cells(escape(key)) for key in layers)))
    titles = "".join(pad(_COLUMNS[key], cell, "right") for key in shown)
    lines: list[Line] = [(("  Noise", "title"),), *_words(table, width)]
    lines.append(((f"  {pad('layer', name)}{titles}", "dim"),))
    rows = [_row(key, row, name, shown, cell) for key, row in layers.items()]
    if len(rows) > _MOST:
        rows[_FIRST:-_LAST] = [_hidden(len(rows) - _FIRST - _LAST)]
    if total:
        rows.append(_row("all layers", total, name, shown, cell))
    return (*lines, *rows, *_notes(table, layers, width))


def _shown(layers: Mapping[str, Any]) -> list[str]:
    return [
        key
        for at, key in enumerate(_COLUMNS)
        if at < _ALWAYS or any(_told(row, key) for row in layers.values())
    ]


def _told(row: Mapping[str, Any], key: str) -> bool:
    """Say whether a number is there that has something to say."""
    return row.get(key) is not None and key not in (row.get("reasons") or {})


def _text(row: Mapping[str, Any], key: str) -> str:
    return _number(row[key], row.get(f"{key}_stderr")) if _told(row, key) else "-"


def _row(
    name: str, row: Mapping[str, Any], room: int, shown: list[str], cell: int
) -> Line:
    numbers = "".join(pad(_text(row, key), cell, "right") for key in shown)
    return ((f"  {pad(clip(escape(name), room), room)}", "name"), (numbers, ""))


def _number(value: float, stderr: float | None) -> str:
    error = f" ± {significant(stderr, 2)}" if stderr else ""
    return significant(value) + error


def _hidden(number: int) -> Line:
    return ((f"  … {number:,} layers more (in --format json)", "dim"),)


def _words(table: Mapping[str, Any], width: int) -> list[Line]:
    """Return what was measured, in one sentence."""
    told = table.get("conventions") or {}
    if not {"sample", "population", "batch"} <= told.keys():
        return []
    used, n, batch = told["sample"], told["population"], told["batch"]
    of = f"{count(n)}" if used == n else f"{count(used)} of {count(n)}"
    text = (
        f"Minibatches of {count(batch)}; gradients of {of} training samples;"
        f" {escape(str(told.get('loss')))} loss, eval mode."
    )
    return wrap([(text, "dim")], width, 2, 2)


def _notes(
    table: Mapping[str, Any], layers: Mapping[str, Any], width: int
) -> list[Line]:
    lines: list[Line] = []
    for key in _SAID:
        if any(_told(row, key) for row in layers.values()):
            continue
        whys = {(row.get("reasons") or {}).get(key) for row in layers.values()}
        if len(whys) == 1 and (why := whys.pop()):
            lines += wrap([(f"{key}: {escape(why)}.", "dim")], width, 2, 4)
        elif len(whys) > 1 and all(whys):
            text = f"{key}: of no layer; why is in --format json."
            lines += wrap([(text, "dim")], width, 2, 4)
    found = (table.get("correlation") or {}).get("stable_rank")
    if found is not None:
        text = f"Rank correlation of noise with stable rank over layers: {found:.2f}."
        lines += wrap([(text, "dim")], width, 2, 4)
    jitter = (table.get("margin_jitter") or {}).get("relative")
    if jitter is not None:
        text = f"Margins moved by {significant(jitter)} of their size since the earlier checkpoint."
        lines += wrap([(text, "dim")], width, 2, 4)
    return lines
