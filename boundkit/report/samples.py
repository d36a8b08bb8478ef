"""What a section of a report says of each sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["by_sample"]

#: What every table of a sample has, by section: margins or collapse.
_MARKS = ("mean", "nc1_pinv")


def by_sample(section: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """Return the tables of the training sample and of a held-out one, where there are any.

    Args:
        section: ``margins`` or ``collapse`` of a report: numbers of the training sample,
            and a table of the held-out one under ``test``.

    Returns:
        ``"train"`` and ``"test"``, those there are.
    """
    if section is None:
        return {}
    held_out = section.get("test")
    rest = {k: v for k, v in section.items() if k not in {"test", "conventions"}}
    found = {"train": rest} if any(mark in rest for mark in _MARKS) else {}
    return found | ({"test": held_out} if isinstance(held_out, Mapping) else {})
