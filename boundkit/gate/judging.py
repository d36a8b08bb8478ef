"""A policy held against a report."""

from __future__ import annotations

from fnmatch import fnmatchcase
from math import isfinite
from typing import TYPE_CHECKING, Any

from boundkit.gate.policy import CertificateRule, LayerRule, ValueRule, WarningRule
from boundkit.gate.values import best_of, certificate_number, named_row, value_at
from boundkit.gate.verdict import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from boundkit.gate.policy import Limit, Policy

    Document = Mapping[str, Any]

__all__ = ["judged"]


def judged(policy: Policy, document: Document, baseline: Document | None) -> Verdict:
    """Hold a policy against a report.

    Args:
        policy: What is asked for.
        document: The report as JSON.
        baseline: An older report as JSON, for relative limits, or None.

    Returns:
        Every limit with what was found, by how much it failed, and why.
    """
    findings: list[Finding] = []
    for rule in policy.rules:
        match rule:
            case WarningRule():
                findings += _warnings(rule, document)
            case CertificateRule():
                findings += _certificate(rule, document, baseline)
            case LayerRule():
                findings += _layers(rule, document, baseline)
            case ValueRule():
                findings += _value(rule, document, baseline)
    return Verdict(
        policy.source,
        str(document["checkpoint"]["source"]),
        None if baseline is None else str(baseline["checkpoint"]["source"]),
        tuple(findings),
    )


def _shown(value: float) -> str:
    return f"{value:.4g}"


def _against(
    rule: str,
    limit: Limit,
    value: float | None,
    why: str,
    before: float | None,
    why_before: str,
    line: int | None,
) -> Iterator[Finding]:
    """Yield one finding per limit that is set."""
    for name, asked in _asked(limit):
        if value is None:
            yield Finding(rule, asked, "nothing", limit.optional, why, line)
        elif name in limit.relative and before is None:
            lacking = f"the baseline does not have it: {why_before}"
            yield Finding(rule, asked, _shown(value), limit.optional, lacking, line)
        else:
            edge = _edge(limit, name, before)
            passed = value >= edge if name in {"min", "max_decrease"} else value <= edge
            told = "" if passed else _by(value, edge)
            found = _shown(value)
            if name in limit.relative and before is not None:
                found += f" (baseline {_shown(before)})"
            yield Finding(rule, asked, found, passed, told, line)


def _asked(limit: Limit) -> Iterator[tuple[str, str]]:
    words = (
        ("min", "at least {}"),
        ("max", "at most {}"),
        ("max_increase", "at most {} above the baseline"),
        ("max_decrease", "at most {} below the baseline"),
        ("max_ratio", "at most {} times the baseline"),
    )
    for name, form in words:
        value = getattr(limit, name)
        if value is not None:
            yield name, form.format(_shown(value))


def _edge(limit: Limit, name: str, before: float | None) -> float:
    value = float(getattr(limit, name))
    if before is None:
        return value
    steps = {
        "max_increase": before + value,
        "max_decrease": before - value,
        "max_ratio": before * value,
    }
    return steps.get(name, value)


def _by(value: float, edge: float) -> str:
    side = "above" if value > edge else "below"
    gap = abs(value - edge)
    if not isfinite(gap):
        return "it is not finite"
    share = f" ({gap / abs(edge):.0%})" if edge else ""
    return f"{_shown(gap)}{share} {side} what is allowed"


def _value(
    rule: ValueRule, document: Document, baseline: Document | None
) -> Iterator[Finding]:
    value, why = value_at(document, rule.path)
    before, lost = (
        (None, "no baseline") if baseline is None else value_at(baseline, rule.path)
    )
    yield from _against(rule.path, rule.limit, value, why, before, lost, rule.line)


def _row(document: Document, bound: str) -> Mapping[str, Any] | None:
    if bound == "best":
        return best_of(document)
    return named_row(document, "certificates", bound)


def _because(row: Mapping[str, Any]) -> str:
    """Return why a certificate has the status that it has: what fails, what would help."""
    states = {"invalid": False, "assumed": None}
    found = row.get("assumptions") or () if row["status"] in states else ()
    open_ones = [one for one in found if one["holds"] is states[row["status"]]]
    said = [f"{one['name']}: {one['detail']}" for one in open_ones[:1]]
    more = len(open_ones) - len(said)
    said += [f"{more} more"] if more else []
    return "; ".join([*said, *filter(None, [str(row.get("note") or "")])])


def _certificate(
    rule: CertificateRule, document: Document, baseline: Document | None
) -> Iterator[Finding]:
    row = _row(document, rule.bound)
    name = "best" if rule.bound == "best" else f"certificates.{rule.bound}"
    if row is None:
        why = (
            "no certificate is valid"
            if rule.bound == "best"
            else "the report has no such bound; boundkit explain lists them"
        )
        yield Finding(
            name, "a certificate", "nothing", rule.limit.optional, why, rule.line
        )
        return
    if rule.bound == "best":
        name = f"best ({row['bound']})"
    note = _because(row)
    if rule.status:
        asked = f"status {' or '.join(rule.status)}"
        passed = row["status"] in rule.status
        told = "" if passed else note
        yield Finding(name, asked, row["status"], passed, told, rule.line)
    older = None if baseline is None else _row(baseline, rule.bound)
    before = None if older is None else certificate_number(older)
    why = f"it is {row['status']}" + (f": {note}" if note else "")
    yield from _against(
        name,
        rule.limit,
        certificate_number(row),
        why,
        before,
        "no value there",
        rule.line,
    )


def _layers(
    rule: LayerRule, document: Document, baseline: Document | None
) -> Iterator[Finding]:
    rows = [r for r in document["layers"] if fnmatchcase(r["name"], rule.pattern)]
    if not rows:
        why = "no layer of the report has such a name"
        name = f"layers {rule.pattern}"
        yield Finding(name, rule.column, "nothing", rule.limit.optional, why, rule.line)
    for row in rows:
        before = None
        if baseline is not None:
            older = named_row(baseline, "layers", row["name"])
            before = None if older is None else older.get(rule.column)
        value = row.get(rule.column)
        yield from _against(
            f"layers.{row['name']}.{rule.column}",
            rule.limit,
            value,
            "the report has no such number for this layer",
            before,
            "no such number there",
            rule.line,
        )


def _warnings(rule: WarningRule, document: Document) -> Iterator[Finding]:
    def matches(code: str, patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(code, one) for one in patterns)

    bad = [
        one
        for one in document["warnings"]
        if matches(one["code"], rule.forbid) and not matches(one["code"], rule.allow)
    ]
    asked = f"none of {', '.join(rule.forbid)}"
    if not bad:
        yield Finding("warnings", asked, "none", passed=True, line=rule.line)
    for one in bad:
        yield Finding(
            "warnings",
            asked,
            one["code"],
            passed=False,
            why=one["message"],
            line=rule.line,
        )
