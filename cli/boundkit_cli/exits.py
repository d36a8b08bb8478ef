"""Exit codes, and which error ends with which."""

from __future__ import annotations

__all__ = [
    "CLOSED_PIPE",
    "DONE",
    "GATE_FAILED",
    "INTERNAL",
    "INTERRUPTED",
    "UNDEFINED",
    "UNREADABLE",
    "USAGE",
    "exit_of",
]

DONE = 0
GATE_FAILED = 1
"""A gate (``--min-coverage``) failed; goes before 4 where both would apply."""
USAGE = 2
"""An option or argument makes no sense, or an output file cannot be written."""
UNREADABLE = 3
"""The input is unreadable, refused or empty."""
UNDEFINED = 4
"""Analyzed and reported, but numbers that are not finite are in the report."""
INTERNAL = 70
"""A bug in boundkit; sysexits.h calls it EX_SOFTWARE."""
INTERRUPTED = 130
"""Ctrl-C, as shells report it."""
CLOSED_PIPE = 141
"""Whoever read the output has gone away, as shells report it."""


def exit_of(error: Exception) -> int:
    """Return the exit code that an error ends with."""
    from boundkit.errors import BoundkitError, UsageError

    if isinstance(error, UsageError):
        return USAGE
    return UNREADABLE if isinstance(error, BoundkitError) else INTERNAL
