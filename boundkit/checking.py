"""A report held against a policy: the gate of a CI pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError
from boundkit.gate.judging import judged
from boundkit.gate.reading import read_policy
from boundkit.gate.starter import starter
from boundkit.gate.stored import read_report
from boundkit.report.model import Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.gate.policy import Policy
    from boundkit.gate.verdict import Verdict

__all__ = ["check", "require_absolute", "starting_policy"]


def check(report: Any, policy: Any, *, baseline: Any = None) -> Verdict:
    """Hold a report against a policy.

    Args:
        report: A Report, its JSON document, or the path of one.
        policy: The path of a TOML file, or a policy that was read.
        baseline: An older report, likewise, for limits that are relative.

    Returns:
        Every limit with what was found, by how much it failed, and why.

    Raises:
        DataError: A stored report cannot be read.
        UsageError: The policy does not read, or needs a baseline that is not given.
    """
    rules = read_policy(policy) if isinstance(policy, str | Path) else policy
    older = None if baseline is None else _document(baseline)
    if older is None:
        require_absolute(rules)
    return judged(rules, _document(report), older)


def starting_policy(report: Any) -> str:
    """Return a commented policy, in TOML, that a report passes with a little room.

    Args:
        report: A Report, its JSON document, or the path of one.

    Raises:
        DataError: A stored report cannot be read.
    """
    return starter(_document(report))


def _document(report: Any) -> Mapping[str, Any]:
    if isinstance(report, Report):
        from boundkit.report.json import document

        return document(report)
    if isinstance(report, str | Path):
        return read_report(report)
    found: Mapping[str, Any] = report
    return found


def require_absolute(policy: Policy) -> None:
    """Refuse a policy with limits that only a baseline gives a meaning.

    Args:
        policy: That is to be held against one report alone.

    Raises:
        UsageError: It has such limits; the message names the first, by its line.
    """
    for line, key in policy.relative:
        place = "" if line is None else f", line {line}"
        raise UsageError(
            f"policy {policy.source!a}{place}: {key!a} needs an older report: give "
            "--baseline REPORT.json, or set min or max"
        )
