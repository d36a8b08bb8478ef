"""Text from a file, made safe to show: what cannot be seen becomes visible."""

from __future__ import annotations

__all__ = ["escape", "has_hidden"]

# Printable to Python, but drawn as nothing: fillers, joiners, variation selectors.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def has_hidden(text: str) -> bool:
    """Return whether ``text`` holds a character that a terminal obeys or hides."""
    if text.isascii():
        return not text.isprintable()
    return any(_hidden(char) for char in text)


def escape(name: str) -> str:
    r"""Return ``name`` with every character that is not plainly visible spelled out.

    Control characters (ANSI escapes and newlines among them), bidirectional marks,
    zero-width and blank characters, the byte order mark, unassigned code points and
    lone surrogates become ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``; all else stays.
    Escaping twice is escaping once.
    """
    if not has_hidden(name):
        return name
    return "".join(_spelled(char) if _hidden(char) else char for char in name)


def _hidden(char: str) -> bool:
    return (
        not char.isprintable()
        or char in _BLANK
        or any(ord(char) in selectors for selectors in _VARIATION_SELECTORS)
    )


def _spelled(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
