"""What a report format is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from boundkit.report.model import Report

__all__ = ["Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a report down: its name, and a function from report to text."""

    name: str
    render: Callable[[Report], str]
