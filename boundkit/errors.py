"""Every error boundkit raises on purpose.

::

    BoundkitError
    ├── UsageError          exit 2: an option or argument that makes no sense
    ├── CheckpointError     exit 3: a checkpoint that cannot or may not be read
    │   ├── Unreadable      broken: truncated, wrong checksum, offsets that do not fit
    │   ├── Refused         intact, but not ours to open: another format, needs code
    │   └── Empty           nothing in it that could be analyzed
    ├── DataError           exit 3: a data set that cannot be used
    ├── ModelError          exit 3: a model that does not load, or does not fit
    ├── ProcessLost         exit 3: another process of the same run failed or went silent
    └── NotApplicable       a measure or bound that has no value here; never leaves analyze

Each message is one line: what, where, why, what to do.
"""

from __future__ import annotations

__all__ = [
    "BoundkitError",
    "CheckpointError",
    "DataError",
    "Empty",
    "ModelError",
    "NotApplicable",
    "ProcessLost",
    "Refused",
    "Unreadable",
    "UsageError",
]


class BoundkitError(Exception):
    """Base of every error that boundkit raises on purpose."""


class UsageError(BoundkitError, ValueError):
    """An argument is out of its range or contradicts another."""


class CheckpointError(BoundkitError):
    """A checkpoint could not be analyzed.

    Args:
        source: The file or folder.
        cause: What is wrong, in a few words.
        remedy: What the user can do about it.
    """

    def __init__(self, source: object, cause: str, remedy: str) -> None:
        self.source = str(source)
        self.cause = cause
        self.remedy = remedy
        super().__init__(f"{self.source}: {cause}; {remedy}")


class Unreadable(CheckpointError):
    """The bytes do not fit together."""


class Refused(CheckpointError):
    """The file is not one that boundkit opens."""


class Empty(CheckpointError):
    """The file opens but holds nothing to analyze."""


class DataError(BoundkitError):
    """A data set could not be used."""


class ModelError(BoundkitError):
    """A model could not be made, loaded or run."""


class ProcessLost(BoundkitError):
    """Another process of the same run failed, ended, or went silent."""


class NotApplicable(BoundkitError):
    """A measure or bound has no value here, for the reason in the message."""
