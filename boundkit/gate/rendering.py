"""A verdict as text, JSON, JUnit, Markdown, and as annotations of a CI service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from boundkit.report.escape import escape
from boundkit.report.formats import Format
from boundkit.report.markup import attribute, cell
from boundkit.report.spans import pad, plain, wrap
from boundkit.report.wording import plural

if TYPE_CHECKING:
    from boundkit.gate.verdict import Finding, Verdict
    from boundkit.report.spans import Line, Style

__all__ = [
    "SCHEMA",
    "VERDICT_FORMATS",
    "json_text",
    "junit",
    "lines",
    "markdown",
    "schema",
    "text",
    "workflow_commands",
]

SCHEMA = "boundkit.verdict/1"


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
    told = plural(asked, "check")
    told = told if verdict.passed else f"{failed} of {told}"
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
    detail = _told(one)
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
        "schema": SCHEMA,
        "policy": _encodable(verdict.policy),
        "subject": _encodable(verdict.subject),
        "baseline": verdict.baseline and _encodable(verdict.baseline),
        "passed": verdict.passed,
        "findings": [
            {name: _encodable(getattr(one, name)) for name in names}
            for one in verdict.findings
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every verdict satisfies."""
    from importlib.resources import files

    written = files("boundkit.gate").joinpath("verdict.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(written)
    return loaded


def _encodable(value: Any) -> Any:
    """Return text that UTF-8 can hold; lone surrogates of file names are spelled out."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


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
    named = attribute(f"{one.rule}: {one.asked}")
    head = f'<testcase classname="boundkit" name={named}'
    if one.passed:
        return f"{head}/>\n"
    told = attribute(f"{one.found}; {one.why}" if one.why else one.found)
    return f"{head}><failure message={told}/></testcase>\n"


def markdown(verdict: Verdict) -> str:
    """Return the verdict as a Markdown table, failures first."""
    failed = len(verdict.failures)
    title = "passed" if verdict.passed else f"**failed** ({failed})"
    head = [
        f"### boundkit check: {title}",
        "",
        f"{cell(verdict.subject)} against {cell(verdict.policy)}",
        "",
        "| | rule | found | asked | why |",
        "|---|---|---|---|---|",
    ]
    rows = [
        f"| {'ok' if one.passed else 'FAIL'} | {cell(one.rule)} | {cell(one.found)} "
        f"| {cell(one.asked)} | {cell(one.why)} |"
        for one in sorted(verdict.findings, key=lambda one: one.passed)
    ]
    return "\n".join([*head, *rows]) + "\n"


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
        f"title={prop(one.rule)}::{data(_told(one))}\n"
        for one in verdict.failures
    )


def _told(one: Finding) -> str:
    words = f"{one.found}; asked: {one.asked}"
    return f"{words}; {one.why}" if one.why else words


#: In the order in which messages list them.
VERDICT_FORMATS: tuple[Format[Verdict], ...] = (
    Format("text", text, lines),
    Format("json", json_text),
    Format("markdown", markdown),
    Format("junit", junit),
)
