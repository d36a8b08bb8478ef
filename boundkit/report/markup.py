"""Text from a file as Markdown and XML show it: as it is, never as markup."""

from __future__ import annotations

from re import compile as pattern

from boundkit.report.escape import escape

__all__ = ["attribute", "cell", "row"]

# A colon matters in links and emoji alone, where no space follows it.
_SPECIAL = pattern(r"[\\`*_{}\[\]<>#!|~&@]|:(?=\S)")


def cell(written: str) -> str:
    """Return text that Markdown shows as it is, in a table or outside of one.

    Args:
        written: Anything; what cannot be seen is spelled out.
    """
    return _SPECIAL.sub(lambda found: "\\" + found[0], escape(written))


def row(*cells: str) -> str:
    """Return a line of a Markdown table.

    Args:
        cells: Already Markdown.
    """
    return f"| {' | '.join(cells)} |"


def attribute(written: str) -> str:
    """Return text as a quoted attribute of XML.

    Args:
        written: Anything; what cannot be seen is spelled out.
    """
    # It imports urllib.request, and that most of the standard library: .09 s.
    from xml.sax.saxutils import quoteattr

    return quoteattr(escape(written))
