"""How names that come from a file are shown in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["listed", "shown"]


def shown(name: object, width: int = 80) -> str:
    """Return ``name`` as printable ASCII in quotes, at most about ``width`` long."""
    text = name if isinstance(name, str) else str(name)
    cut = text if len(text) <= width else text[: width - 3] + "..."
    return ascii(cut)


def listed(names: Iterable[object], limit: int = 5) -> str:
    """Return the first ``limit`` names quoted, and how many more there are."""
    every = list(names)
    head = ", ".join(shown(name) for name in every[:limit])
    return head if len(every) <= limit else f"{head} and {len(every) - limit:,} more"
