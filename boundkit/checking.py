"""A report held against a policy: the gate of a CI pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.errors import UsageError
from boundkit.gate.certified import alone
from boundkit.gate.judging import judged
from boundkit.gate.reading import read_policy
from boundkit.gate.starter import starter
from boundkit.gate.stored import read_certificates, read_subject
from boundkit.posthoc.certificate import CertificateFile
from boundkit.report.model import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boundkit.gate.policy import Policy
    from boundkit.gate.verdict import Verdict

__all__ = ["check", "require_absolute", "starting_policy"]


def check(
    report: Any,
    policy: Any,
    *,
    baseline: Any = None,
    certificates: Sequence[str | Path] = (),
) -> Verdict:
    """Hold a report, or a certificate, against a policy.

    Args:
        report: A Report, its JSON document, a CertificateFile, or the path of one that
            was stored.
        policy: The path of a TOML file, or a policy that was read.
        baseline: An older report, likewise, for limits that are relative.
        certificates: Paths of what ``draw``, ``code`` or ``holdout`` wrote about the
            weights of the report; their bounds are added to its own.

    Returns:
        Every limit with what was found, by how much it failed, and why.

    Raises:
        DataError: A stored report or certificate cannot be read.
        UsageError: The policy does not read, or needs a baseline that is not given.
    """
    rules = read_policy(policy) if isinstance(policy, str | Path) else policy
    older = None if baseline is None else _document(baseline)
    if older is None:
        require_absolute(rules)
    found = _document(report)
    if certificates:
        found = read_certificates(found, certificates)
    return judged(rules, found, older)


def starting_policy(report: Any, *, certificates: Sequence[str | Path] = ()) -> str:
    """Return a commented policy, in TOML, that a report passes with a little room.

    Args:
        report: A Report, its JSON document, a CertificateFile, or the path of one that
            was stored.
        certificates: Paths of what ``draw``, ``code`` or ``holdout`` wrote about the
            weights of the report; their bounds are added to its own.

    Raises:
        DataError: A stored report or certificate cannot be read.
    """
    found = _document(report)
    return starter(read_certificates(found, certificates) if certificates else found)


def _document(report: Any) -> Mapping[str, Any]:
    if isinstance(report, Report):
        from boundkit.report.json import document

        return document(report)
    if isinstance(report, str | Path):
        return read_subject(report)
    if isinstance(report, CertificateFile):
        return alone(report, report.certifies)
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
