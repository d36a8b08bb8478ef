"""Styled lines on a console of rich, which is handed in and never imported."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from boundkit.report.spans import Line, Style

__all__ = ["STYLES", "Console", "Painted", "painted"]

Painted: TypeAlias = Iterator[Any]

#: What each style looks like, in the words of rich.
STYLES: Mapping[Style, str] = MappingProxyType({
    "": "none",
    "title": "bold",
    "name": "cyan",
    "dim": "dim",
    "bar": "blue",
    "good": "green",
    "fair": "yellow",
    "bad": "bold red",
})


class Console(Protocol):
    """What is asked of ``rich.console.Console``: a text to append to."""

    def render_str(
        self, text: str, *, markup: bool, emoji: bool, highlight: bool
    ) -> Any:
        """Return a ``rich.text.Text``."""


def painted(lines: Iterable[Line], console: Console) -> Painted:
    """Yield each line as a text of rich; brackets in names stay brackets.

    Args:
        lines: Styled, as wide as the console is.
        console: Of rich, as ``__rich_console__`` is given it.
    """
    for line in lines:
        text = console.render_str("", markup=False, emoji=False, highlight=False)
        for words, style in line:
            text.append(words, STYLES[style])
        yield text
