"""A difference of reports as text, JSON and Markdown."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from boundkit.report.escape import escape
from boundkit.report.formats import Format
from boundkit.report.markup import cell, row
from boundkit.report.spans import clip, pad, plain, wrap
from boundkit.report.wording import plural, significant

if TYPE_CHECKING:
    from boundkit.report.difference import Change, Difference, Value
    from boundkit.report.spans import Line

__all__ = [
    "DIFFERENCE_FORMATS",
    "SCHEMA",
    "json_text",
    "lines",
    "markdown",
    "schema",
    "text",
]

SCHEMA = "boundkit.diff/1"

#: Changes of one part that text and Markdown show.
_MOST = 24
_FIELDS = ("part", "path", "old", "new", "relative", "kind")


def text(found: Difference) -> str:
    """Return the difference as plain text, 100 columns wide."""
    return plain(lines(found, 100))


def lines(found: Difference, width: int) -> tuple[Line, ...]:
    """Return the difference as styled lines, part by part.

    Args:
        found: Its changes.
        width: Columns to write in.
    """
    written: list[Line] = [
        *wrap([(f"- {escape(found.old)}", "name")], width, 0, 2),
        *wrap([(f"+ {escape(found.new)}", "name")], width, 0, 2),
        ((f"  {_told(found)}", "title"),),
    ]
    for part, group in groupby(found.changes, lambda one: one.part):
        changes = _by_size(list(group))
        if not changes:
            continue
        written += [(), ((f"  {part.capitalize()}", "title"),)]
        shown = changes[:_MOST]
        column = min(max(len(_name(one)) for one in shown), width // 2)
        for one in shown:
            written += _line(one, column, width)
        if len(changes) > _MOST:
            rest = f"    and {len(changes) - _MOST:,} more (all are in --format json)"
            written.append(((rest, "dim"),))
    return tuple(written)


def _told(found: Difference) -> str:
    same = plural(found.same, "value")
    if not found.changes:
        return f"no difference in {same}"
    return f"{plural(len(found.changes), 'difference')}; {same} the same"


def _by_size(changes: list[Change]) -> list[Change]:
    """Return what moved before what came or went, larger changes first, terms last.

    A cell without a value that came or went with its row is left out.
    """

    def order(one: Change) -> tuple[bool, bool, float]:
        inner = ".terms." in one.path or ".assumptions." in one.path
        size = float("inf") if one.relative is None else abs(one.relative)
        return inner, one.kind != "changed", -size

    known = [
        one for one in changes if one.old not in {None, ""} or one.new not in {None, ""}
    ]
    return sorted(known, key=order)


def _line(one: Change, column: int, width: int) -> list[Line]:
    hang = 4 + column + 2
    first, *rest = wrap([(_moved(one), "")], width, hang, hang)
    name = pad(clip(_name(one), column), column)
    return [((f"    {name}  ", "name"), *first[1:]), *rest]


def _name(one: Change) -> str:
    return escape(one.path.removeprefix(f"{one.part}."))


def _moved(one: Change) -> str:
    if one.kind == "added":
        return f"new: {_word(one.new)}"
    if one.kind == "removed":
        return f"gone: {_word(one.old)}"
    share = one.relative
    old, new = _apart(one.old, one.new)
    return f"{old} -> {new}" + ("" if share is None else f" ({_percent(share)})")


def _apart(old: Value, new: Value) -> tuple[str, str]:
    """Return both in as many digits as it takes to tell them apart."""
    for digits in (4, 8, 12, 17):
        words = _word(old, digits), _word(new, digits)
        if words[0] != words[1]:
            break
    return words


def _word(value: Value, digits: int = 4) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return significant(value, digits)
    return clip(escape(str(value)), 300)


def _percent(share: float) -> str:
    return f"{100 * share:+.3g} %" if abs(share) < 10 else f"x {1 + share:.3g}"


def json_text(found: Difference) -> str:
    """Return the difference as one JSON document, ``boundkit.diff/1``."""
    whole = {
        "schema": SCHEMA,
        "old": found.old,
        "new": found.new,
        "same": found.same,
        "changes": [
            {name: _finite(getattr(one, name)) for name in _FIELDS}
            for one in found.changes
        ],
    }
    written = json.dumps(whole, indent=1, allow_nan=False)
    return written + "\n"


def _finite(value: Any) -> Any:
    beyond = isinstance(value, float) and value in {float("inf"), float("-inf")}
    return None if beyond else value


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every difference satisfies."""
    from importlib.resources import files

    written = files("boundkit.report").joinpath("difference.schema.json")
    loaded: dict[str, Any] = json.loads(written.read_text("utf-8"))
    return loaded


def markdown(found: Difference) -> str:
    """Return the difference as Markdown, a table per part.

    Args:
        found: Its changes.
    """
    written = [
        f"### boundkit diff: {_told(found)}",
        "",
        f"{cell(found.old)} → {cell(found.new)}",
    ]
    for part, group in groupby(found.changes, lambda one: one.part):
        changes = _by_size(list(group))
        if not changes:
            continue
        written += ["", f"#### {part.capitalize()}", "", row("what", "change")]
        written.append(row("---", "---"))
        written += [row(cell(_name(one)), cell(_moved(one))) for one in changes[:_MOST]]
        if len(changes) > _MOST:
            rest = f"and {len(changes) - _MOST:,} more; all are in --format json"
            written += ["", rest]
    return "\n".join(written) + "\n"


#: In the order in which messages list them.
DIFFERENCE_FORMATS: tuple[Format[Difference], ...] = (
    Format("text", text, lines),
    Format("json", json_text),
    Format("markdown", markdown),
)
