"""Lines of styled text: what the text report is made of, before anyone paints it.

A line is a tuple of ``(text, style)`` pairs. Styles are words (``"good"``), not colors:
whoever owns a terminal decides what they look like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Line", "Span", "Style", "cells", "clip", "fit", "pad", "plain", "wrap"]

Style: TypeAlias = Literal["", "title", "name", "dim", "bar", "good", "fair", "bad"]
Span: TypeAlias = tuple[str, Style]
Line: TypeAlias = tuple[Span, ...]


def plain(lines: Iterable[Line]) -> str:
    """Return the lines as text without styles, each ended by a newline."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def cells(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def clip(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` columns, its middle replaced by an ellipsis.

    Both ends are kept: the index of a layer stands at one, its role at the other.
    """
    if cells(text) <= width:
        return text
    head, tail = (width - 1) // 2, width // 2
    return f"{fit(text, head)}…{fit(text[::-1], tail)[::-1]}"


def fit(text: str, width: int) -> str:
    """Return the longest beginning of ``text`` that takes at most ``width`` columns."""
    taken = 0
    for position, char in enumerate(text):
        taken += _cell(char)
        if taken > width:
            return text[:position]
    return text


def pad(text: str, width: int, side: Literal["left", "right"] = "left") -> str:
    """Return ``text`` filled up with spaces so that it stands on ``side``."""
    space = " " * max(0, width - cells(text))
    return text + space if side == "left" else space + text


def wrap(spans: Sequence[Span], width: int, indent: int, hang: int) -> list[Line]:
    """Break spans into lines of at most ``width`` columns, between words.

    Args:
        spans: Text and styles; a word never runs across two spans.
        width: Columns of a line, indentation included.
        indent: Columns before the first line.
        hang: Columns before every further line.

    Returns:
        The lines, each with its indentation as the first span; a word longer than a line is broken. Where the indentation leaves
        no room, words stand on lines that are too long.
    """
    lines: list[list[Span]] = [[(" " * indent, "")]]
    taken, fresh = indent, True
    for word, style in _words(spans, max(width - max(indent, hang), 2)):
        gap = 0 if fresh else 1
        if not fresh and taken + gap + cells(word) > width:
            lines.append([(" " * hang, "")])
            taken, gap = hang, 0
        _add(lines[-1], (" " * gap + word, style))
        taken, fresh = taken + gap + cells(word), False
    return [tuple(line) for line in lines]


def _add(line: list[Span], span: Span) -> None:
    """Append a span, joined to the one before; the indentation stays by itself."""
    if len(line) > 1 and line[-1][1] == span[1]:
        line[-1] = (line[-1][0] + span[0], span[1])
    else:
        line.append(span)


def _words(spans: Sequence[Span], width: int) -> Iterable[Span]:
    for text, style in spans:
        for word in text.split():
            rest = word
            while cells(rest) > width:
                head = fit(rest, width)
                yield head, style
                rest = rest[len(head) :]
            yield rest, style


def _cell(char: str) -> int:
    if combining(char):
        return 0
    return 2 if east_asian_width(char) in {"W", "F"} else 1
