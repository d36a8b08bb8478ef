"""Numbers that say where in its run a checkpoint was written, by name and by content."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["EPOCH", "STEP", "from_metadata", "from_names", "number", "whole"]

EPOCH = ("epoch", "epochs", "ep", "e", "current_epoch", "last_epoch")
STEP = (
    "step",
    "steps",
    "global_step",
    "iteration",
    "iterations",
    "iter",
    "iters",
    "it",
    "num_updates",
    "update",
    "updates",
    "checkpoint",
    "ckpt",
)
_NUMBER = re.compile(r"([A-Za-z]*)[-_=. ]*(?<![0-9.])([0-9]{1,18}(?:\.[0-9]+)?)")
#: What follows the last dot of these names is no number.
_ENDING = re.compile(
    r"\.(pt2?|pth|ckpt|bin|pkl|pickle|safetensors|th|tar)$", re.IGNORECASE
)


def number(value: Any) -> float | None:
    """Return a finite number, None for anything else.

    Args:
        value: Such as an entry of a checkpoint, or a cell.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def whole(place: float | None) -> float | None:
    """Return a place as an int where it is one, as epochs and steps are.

    Args:
        place: Finite, or None.
    """
    return int(place) if place is not None and place.is_integer() else place


def from_metadata(
    tables: Sequence[Mapping[str, Any]],
) -> tuple[str, list[float | None]]:
    """Return the best counter among what lies in checkpoints, and its values.

    Args:
        tables: Dotted name -> value, one table a checkpoint; empty where unknown.

    Returns:
        Its dotted name, "" if there is none that tells two checkpoints apart.
    """
    names = {
        name: None
        for table in tables
        for name in table
        if _rank(name.rpartition(".")[2]) < 2
    }
    found = {name: [number(table.get(name)) for table in tables] for name in names}
    return _best({name: values for name, values in found.items() if _tells(values)})


def from_names(paths: Sequence[str]) -> tuple[str, list[float | None]]:
    """Return the best counter in file names, by the word before it, and its values.

    Args:
        paths: Of checkpoints; only what they do not have in common is looked at.

    Returns:
        The word, such as ``"epoch"``, ``"number"`` where there is no word, "" if no
        number tells two of them apart; and one number a path.
    """
    tables = [_numbers(each) for each in _distinct(paths)]
    names = dict.fromkeys(name for table in tables for name in table)
    found = {name: [table.get(name) for table in tables] for name in names}
    return _best({name: values for name, values in found.items() if _tells(values)})


def _distinct(paths: Sequence[str]) -> list[str]:
    """Return paths without the folders that all of them begin with."""
    split = [path.replace(os.sep, "/").split("/") for path in paths]
    shared = 0
    for parts in zip(*(each[:-1] for each in split), strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    return ["/".join(each[shared:]) for each in split]


def _numbers(path: str) -> dict[str, float]:
    """Return word -> number; of numbers after one word, the last."""
    return {
        (word.lower() or "number"): float(digits)
        for word, digits in _NUMBER.findall(_ENDING.sub("", path))
    }


def _tells(values: Sequence[float | None]) -> bool:
    return len({value for value in values if value is not None}) > 1


def _rank(word: str) -> int:
    word = word.lower()
    return 0 if word in EPOCH else 1 if word in STEP else 2


def _best(found: dict[str, list[float | None]]) -> tuple[str, list[float | None]]:
    if not found:
        return "", []

    def merit(name: str) -> tuple[bool, int, int, int, int]:
        values = [value for value in found[name] if value is not None]
        words = name.split(".")
        rank = _rank(words[-1])
        # Several checkpoints of one epoch are told apart by their steps.
        return rank == 2, -len(values), -len(set(values)), rank, len(words)

    name = min(found, key=merit)
    return name, found[name]
