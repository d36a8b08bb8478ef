"""What a report format is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from boundkit.report.spans import Line

__all__ = ["Format"]

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Format(Generic[Subject]):
    """A way to write down a report, or a comparison of reports.

    Attributes:
        name: As ``--format`` takes it.
        render: From the subject to text.
        lines: From the subject and a width to styled lines, for formats that have a
            painted form on terminals.
    """

    name: str
    render: Callable[[Subject], str]
    lines: Callable[[Subject, int], tuple[Line, ...]] | None = None
