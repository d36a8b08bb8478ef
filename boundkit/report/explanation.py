"""Bounds and measurements in words: the catalog as a list, and one of them in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from boundkit.measure.glossary import cited
from boundkit.report.spans import Line, Span, pad, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boundkit.measure.glossary import Entry

__all__ = ["Explained", "catalog", "explanation", "glossary_list", "meaning"]


class Explained(Protocol):
    """What can be explained; every bound of the catalog is one."""

    @property
    def id(self) -> str:
        """The name that the command line and the report use."""
        ...

    @property
    def title(self) -> str:
        """The name in words."""
        ...

    @property
    def statement(self) -> str:
        """The theorem, all constants in."""
        ...

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is checked on every net."""
        ...

    @property
    def premises(self) -> tuple[str, ...]:
        """What no program can check."""
        ...

    @property
    def citation(self) -> str:
        """Where the theorem is proved."""
        ...

    @property
    def corrections(self) -> str:
        """How the statement differs from the printed one, or ""."""
        ...


def catalog(entries: Sequence[Explained], width: int) -> tuple[Line, ...]:
    """Return one line per entry: id and title, in the order given."""
    column = max((len(entry.id) for entry in entries), default=0)
    lines: list[Line] = []
    for entry in entries:
        head: Span = (f"  {pad(entry.id, column)}  ", "name")
        first, *rest = wrap([(entry.title, "")], width, column + 4, column + 4)
        lines += [(head, *first[1:]), *rest]
    hint = "boundkit explain NAME shows statement, assumptions, source and corrections."
    return (*lines, (), *wrap([(hint, "dim")], width, 2, 2))


def explanation(entry: Explained, width: int) -> tuple[Line, ...]:
    """Return one entry in full: statement, assumptions, premises, source, corrections."""
    title: list[Span] = [(entry.id, "name"), ("·", "dim"), (entry.title, "title")]
    lines = wrap(title, width, 0, 2)
    lines += [(), *_paragraphs(entry.statement, width)]
    lines += _listed("Assumptions, checked on every net", entry.assumptions, width)
    lines += _listed("Premises, which no program can check", entry.premises, width)
    lines += _listed("Source", (entry.citation,), width)
    corrections = (entry.corrections,) if entry.corrections else ()
    lines += _listed("Corrected against the printed text", corrections, width)
    return tuple(lines)


def glossary_list(entries: Sequence[Entry], width: int) -> tuple[Line, ...]:
    """Return the names of measurements, group by group, in the order given."""
    lines: list[Line] = [(("Measurements", "title"),)]
    for group in dict.fromkeys(entry.group for entry in entries):
        names = ", ".join(entry.name for entry in entries if entry.group == group)
        lines += wrap([(f"{group}:", "dim"), (names, "name")], width, 2, 4)
    hint = "boundkit explain NAME shows the formula, what it needs and its source."
    return (*lines, (), *wrap([(hint, "dim")], width, 2, 2))


def meaning(entry: Entry, width: int) -> tuple[Line, ...]:
    """Return one measurement in full: formula, what it needs, source."""
    kind = "heuristic, no proof covers it" if entry.heuristic else "measurement"
    head: list[Span] = [(entry.name, "name"), ("·", "dim"), (entry.group, "title")]
    lines = wrap([*head, ("·", "dim"), (kind, "")], width, 0, 2)
    lines += [(), *_paragraphs(entry.formula, width)]
    lines += _listed("Needs", (entry.needs,), width)
    lines += _listed("Source", cited(entry.source), width)
    return tuple(lines)


def _paragraphs(text: str, width: int) -> list[Line]:
    """Wrap prose, and keep indented lines (formulas) as they are."""
    lines: list[Line] = []
    for paragraph in text.strip("\n").split("\n\n"):
        if lines:
            lines.append(())
        if paragraph.startswith("  "):
            lines += [((line, ""),) for line in paragraph.split("\n")]
        else:
            lines += wrap([(paragraph, "")], width, 2, 2)
    return lines


def _listed(title: str, entries: tuple[str, ...], width: int) -> list[Line]:
    if not entries:
        return []
    lines: list[Line] = [(), ((f"  {title}", "title"),)]
    for entry in entries:
        lines += wrap([(f"- {entry}", "")], width, 4, 6)
    return lines
