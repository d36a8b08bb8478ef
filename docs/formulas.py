"""Turns formulas of the pages into MathML while the site is built.

A hook of mkdocs: the built pages then need no script and no font from anywhere, and
the sources read on code hosts, which know the same dollar signs.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from latex2mathml.converter import convert
from markdown import Extension
from markdown.preprocessors import Preprocessor

if TYPE_CHECKING:
    from markdown import Markdown
    from mkdocs.config.defaults import MkDocsConfig

__all__ = ["Formulas", "markup", "on_config"]

# Code spans come first, so that dollars in them stay dollars. A formula may run over
# lines, never over a blank one.
_PIECES = re.compile(
    r"(?P<code>(?P<ticks>`+).+?(?P=ticks))"
    r"|\$\$(?P<block>(?:(?!\n\s*\n).)+?)\$\$"
    r"|(?<![\\$\w])\$(?P<inline>(?![\s$])(?:(?!\n\s*\n)[^$])+?(?<![\s\\]))\$(?![\d$])",
    re.DOTALL,
)
_NUMBER = re.compile(r"\\tag\{([^}]*)\}")


def markup(latex: str, *, block: bool) -> str:
    """Return a formula as MathML, its number beside it if it has one."""
    number = _NUMBER.search(latex)
    body = convert(_NUMBER.sub("", latex), display="block" if block else "inline")
    # Right of a screen reader's way, and there to copy from.
    body = body.replace("<math ", f'<math alttext="{escape(latex.strip())}" ', 1)
    if not block:
        return body
    label = f'<span class="number">({escape(number[1])})</span>' if number else ""
    return f'<span class="formula"><span class="wide">{body}</span>{label}</span>'


class _Preprocessor(Preprocessor):
    """Puts formulas aside before anything else reads their underscores."""

    def run(self, lines: list[str]) -> list[str]:
        """Replace each formula by a placeholder of Markdown's own."""
        return _PIECES.sub(self._aside, "\n".join(lines)).split("\n")

    def _aside(self, found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        block = found["block"] is not None
        latex = found["block"] if block else found["inline"]
        return str(self.md.htmlStash.store(markup(latex, block=block)))


class Formulas(Extension):
    """The extension of Markdown that ``on_config`` adds."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name
        """Run after fenced code is put aside (25) and before HTML is read (20)."""
        md.preprocessors.register(_Preprocessor(md), "formulas", 22)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let every page have formulas."""
    config.markdown_extensions.append(Formulas())  # type: ignore[arg-type]  # objects are taken, too
    return config
