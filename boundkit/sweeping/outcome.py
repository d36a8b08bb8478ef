"""What became of one checkpoint; crosses from workers to the process that asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANALYZED", "FAILED", "PENDING", "UNDEFINED", "Outcome", "Task", "one_line"]

ANALYZED = "analyzed"
UNDEFINED = "undefined"
"""Analyzed, but numbers in the report are not finite or not defined."""
FAILED = "failed"
PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Task:
    """One checkpoint to look at.

    Attributes:
        where: Absolute path, or URL.
        name: As the user wrote it.
        known: Key of the result that an earlier run made of it, if that is there.
    """

    where: str
    name: str
    known: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it.

    Attributes:
        where: Absolute path, or URL.
        status: ``"analyzed"``, ``"undefined"`` or ``"failed"``.
        reason: Why it failed, one line; else "".
        signature: Size, time and inode of its files, where these tell versions apart.
        key: Of its result, or None.
        settled: Whether there is no point in trying again while the signature stands.
        fresh: Whether it was analyzed now, not found among the results.
        text: The result, where whoever receives this has to write it.
    """

    where: str
    status: str
    reason: str = ""
    signature: str | None = None
    key: str | None = None
    settled: bool = False
    fresh: bool = False
    text: str | None = None

    def entry(self) -> dict[str, Any]:
        """Return its line of the journal."""
        return {
            "where": self.where,
            "status": self.status,
            "reason": self.reason,
            "signature": self.signature,
            "key": self.key,
            "settled": self.settled,
        }

    @classmethod
    def of(cls, entry: Mapping[str, Any], *, fresh: bool) -> Outcome:
        """Return the outcome that a line of a worker or the journal tells of."""
        return cls(**entry, fresh=fresh)


def one_line(error: BaseException) -> str:
    """Return the message of an exception as one line of at most 1000 characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 1000 else f"{text[:999]}…"
