"""Turns formulas of the pages into MathML while the site is built.

A hook of mkdocs: the built pages then need no script and no font from anywhere, and
the sources read on code hosts, which know the same dollar signs.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from markdown import Extension
from markdown.preprocessors import Preprocessor
from math_core import LatexToMathML

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
_CONVERTER = LatexToMathML()
_SIZED = re.compile(r"\\[Bb]igg?([lr])(?![a-z])")
_PAIRED = {"l": r"\left", "r": r"\right"}
_NUMBER = re.compile(r"\\tag\{([^}]*)\}")


def markup(latex: str, *, block: bool) -> str:
    """Return a formula as MathML, its number beside it if it has one.

    Raises:
        LatexError: It does not read, which ends the build.
    """
    number = _NUMBER.search(latex)
    # A backslash at the end of a line is one before a space.
    typed = " ".join(_NUMBER.sub("", latex).split())
    # Browsers do not stretch a sized delimiter that has an exponent.
    typed = _SIZED.sub(lambda found: _PAIRED[found[1]], typed)
    body = _CONVERTER.convert_with_local_state(typed, displaystyle=block)
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
