"""A verdict as text, JSON, JUnit, Markdown, and as annotations of a CI service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from boundkit.report.escape import escape
from boundkit.report.formats import Format
from boundkit.report.spans import pad, plain, wrap

if TYPE_CHECKING:
    from boundkit.gate.verdict import Finding, Verdict
    from boundkit.report.spans import Line, Style

__all__ = [
    "VERDICT_FORMATS",
    "json_text",
    "junit",
    "lines",
    "markdown",
    "text",
    "workflow_commands",
]


def text(verdict: Verdict) -> str:
    """Return the verdict as plain text, 100 columns wide."""
    return plain(lines(verdict, 100))


def lines(verdict: Verdict, width: int) -> tuple[Line, ...]:
    """Return the verdict as styled lines, failures first.

    Args:
        verdict: Its findings.
        width: Columns to write in.
    """
    failed = len(verdict.failures)
    asked = len(verdict.findings)
    style: Style = "good" if verdict.passed else "bad"
    word = "passed" if verdict.passed else "FAILED"
    told = f"{asked} checks" if verdict.passed else f"{failed} of {asked} checks"
    head: Line = (
        (f"{word}  ", style),
        (f"{escape(verdict.subject)} against {escape(verdict.policy)}: {told}", ""),
    )
    beside = verdict.baseline
    under: tuple[Line, ...] = ()
    if beside is not None:
        under = (((f"        baseline {escape(beside)}", "dim"),),)
    rows = sorted(verdict.findings, key=lambda one: one.passed)
    column = min(max((len(escape(one.rule)) for one in rows), default=0), 44)
    body = [line for one in rows for line in _row(one, column, width)]
    return (head, *under, (), *body)


def _row(one: Finding, column: int, width: int) -> list[Line]:
    mark: tuple[str, Style] = (
        ("  ok    ", "good") if one.passed else ("  FAIL  ", "bad")
    )
    detail = f"{one.found}; asked: {one.asked}"
    if one.why:
        detail += f"; {one.why}"
    if not one.passed and one.line is not None:
        detail += f" (line {one.line} of the policy)"
    hang = 8 + column + 2
    first, *rest = wrap([(escape(detail), "")], width, hang, hang)
    name = pad(escape(one.rule), column)
    return [(mark, (name + "  ", "name"), *first[1:]), *rest]


def json_text(verdict: Verdict) -> str:
    """Return the verdict as one JSON document, ``boundkit.verdict/1``."""
    names = ("rule", "asked", "found", "passed", "why", "line")
    document = {
        "schema": "boundkit.verdict/1",
        "policy": verdict.policy,
        "subject": verdict.subject,
        "baseline": verdict.baseline,
        "passed": verdict.passed,
        "findings": [
            {name: getattr(one, name) for name in names} for one in verdict.findings
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def junit(verdict: Verdict) -> str:
    """Return the verdict as JUnit XML, one test case per finding."""
    cases = "".join(map(_case, verdict.findings))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites><testsuite name="boundkit check" tests="{len(verdict.findings)}" '
        f'failures="{len(verdict.failures)}" errors="0" skipped="0">\n'
        f"{cases}</testsuite></testsuites>\n"
    )


def _case(one: Finding) -> str:
    named = _attribute(f"{one.rule}: {one.asked}")
    head = f'<testcase classname="boundkit" name={named}'
    if one.passed:
        return f"{head}/>\n"
    told = _attribute(f"{one.found}; {one.why}" if one.why else one.found)
    return f"{head}><failure message={told}/></testcase>\n"


def _attribute(written: str) -> str:
    return quoteattr(escape(written))


def markdown(verdict: Verdict) -> str:
    """Return the verdict as a Markdown table, failures first."""
    failed = len(verdict.failures)
    title = "passed" if verdict.passed else f"**failed** ({failed})"
    head = [
        f"### boundkit check: {title}",
        "",
        f"{_cell(verdict.subject)} against {_cell(verdict.policy)}",
        "",
        "| | rule | found | asked | why |",
        "|---|---|---|---|---|",
    ]
    rows = [
        f"| {'ok' if one.passed else 'FAIL'} | {_cell(one.rule)} | {_cell(one.found)} "
        f"| {_cell(one.asked)} | {_cell(one.why)} |"
        for one in sorted(verdict.findings, key=lambda one: one.passed)
    ]
    return "\n".join([*head, *rows]) + "\n"


_SPECIAL = frozenset("\\`*_{}[]<>()#+-!|~&@:")


def _cell(written: str) -> str:
    """Return text that Markdown shows as it is."""
    plainly = escape(written)
    return "".join(
        f"\\{char}" if char in _SPECIAL - {"-", "(", ")", "+"} else char
        for char in plainly
    )


def workflow_commands(verdict: Verdict) -> str:
    """Return GitHub workflow commands, one ``::error`` per failure."""

    def data(written: str) -> str:
        return (
            escape(written)
            .replace("%", "%25")
            .replace("\r", "%0D")
            .replace("\n", "%0A")
        )

    def prop(written: str) -> str:
        return data(written).replace(":", "%3A").replace(",", "%2C")

    return "".join(
        f"::error file={prop(verdict.policy)},line={one.line or 1},"
        f"title={prop(one.rule)}::{data(f'{one.found}; asked: {one.asked}; {one.why}')}\n"
        for one in verdict.failures
    )


#: In the order in which messages list them.
VERDICT_FORMATS: tuple[Format[Verdict], ...] = (
    Format("text", text, lines),
    Format("json", json_text),
    Format("markdown", markdown),
    Format("junit", junit),
)
