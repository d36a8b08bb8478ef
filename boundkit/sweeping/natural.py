"""The order in which people count: ``epoch_9`` before ``epoch_10``."""

from __future__ import annotations

import re

__all__ = ["natural"]


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key to sort names by, digits as numbers.

    Args:
        name: A path or URL.
    """
    parts = re.split(r"([0-9]{1,18})", name)
    return tuple(
        (0, int(part), "") if at % 2 else (1, 0, part) for at, part in enumerate(parts)
    )
