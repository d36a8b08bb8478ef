"""Certificates and their verification in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.posthoc.statements import TERMS
from boundkit.report.escape import escape
from boundkit.report.spans import wrap
from boundkit.report.wording import at_most, confidence

if TYPE_CHECKING:
    from boundkit.posthoc.certificate import CertificateFile
    from boundkit.posthoc.verification import Check, Verification
    from boundkit.report.spans import Line, Style

__all__ = ["certificate_lines", "term_lines", "verification_lines"]

_TITLES = {
    "holdout": "Clopper-Pearson limit on held-out samples",
    "draw": "single-draw PAC-Bayes-kl bound",
    "code": "Occam bound on a coded network",
}


def certificate_lines(certificate: CertificateFile, width: int) -> tuple[Line, ...]:
    """Return what is proved, about which weights, and what stands beside it.

    Args:
        certificate: Of any kind.
        width: Columns.
    """
    style: Style = "fair" if certificate.vacuous else "good"
    found = [
        ((_title(certificate), "title"),),
        (),
        *wrap([(_statement(certificate), style)], width, 2, 2),
        *wrap([(f"It is about {escape(certificate.certifies)}.", "")], width, 2, 2),
        *wrap([(_beside(certificate), "")], width, 2, 2),
    ]
    original = _original(certificate)
    if original:
        found += wrap([(original, style)], width, 2, 2)
    found += wrap([(_made_of(certificate), "dim")], width, 2, 2)
    for warning in certificate.warnings:
        found += wrap([(f"warning: {escape(warning)}", "fair")], width, 2, 4)
    premises = "; ".join(certificate.premises)
    found += wrap([(f"Premises: {escape(premises)}.", "dim")], width, 2, 2)
    return tuple(found)


def verification_lines(found: Verification, width: int) -> tuple[Line, ...]:
    """Return whether a certificate holds, and each comparison that failed.

    Args:
        found: What was recomputed.
        width: Columns.
    """
    lines: list[Line] = []
    for check in found.checks:
        style: Style = "dim" if check.holds else "bad"
        lines += wrap([(_compared(check), style)], width, 2, 6)
    for note in found.notes:
        lines += wrap([(f"not checked: {escape(note)}", "dim")], width, 2, 4)
    for missing in found.unchecked:
        lines += wrap([(f"NOT CHECKED: {escape(missing)}", "bad")], width, 2, 4)
    failed = sum(not check.holds for check in found.checks)
    if failed:
        verdict = f"NOT VERIFIED: {failed} of {len(found.checks)} comparisons failed"
        return (*lines, (), ((verdict, "bad"),))
    if found.unchecked:
        verdict = (
            f"NOT VERIFIED in full: all {len(found.checks)} comparisons hold, but"
            f" {len(found.unchecked)} statement was not recomputed; see above"
        )
        return (*lines, (), *wrap([(verdict, "bad")], width, 0, 2))
    verdict = (
        f"Verified: with probability {confidence(found.delta)}, the error probability is "
        f"at most {at_most(found.bound)}: {escape(found.certifies)}"
    )
    if found.original is not None:
        bound, delta = found.original
        verdict += (
            f"; and, with probability {confidence(round(delta, 12))}, the original net errs"
            f" on at most {at_most(bound)}"
        )
    return (*lines, (), *wrap([(verdict, "good")], width, 0, 2))


def term_lines(kind: str, width: int) -> tuple[Line, ...]:
    """Return what the keys of a kind of certificate say; nothing for other bounds.

    Args:
        kind: ``"holdout"``, ``"draw"`` or ``"code"``.
        width: Columns.
    """
    terms = TERMS.get(kind, ())
    if not terms:
        return ()
    lines: list[Line] = [(), ((f"  Terms, as `boundkit {kind}` writes them", "title"),)]
    for name, meaning in terms:
        lines += wrap([(f"- {name}: {meaning}", "")], width, 4, 6)
    return tuple(lines)


def _title(certificate: CertificateFile) -> str:
    return f"{certificate.kind}: {_TITLES[certificate.kind]}"


def _statement(certificate: CertificateFile) -> str:
    held = "held-out" if certificate.kind == "holdout" else "training"
    return (
        f"With probability {confidence(certificate.delta)}, the error probability is at "
        f"most {at_most(certificate.bound)} (it errs on {certificate.errors:,} of "
        f"{certificate.n:,} {held} samples, {certificate.error:.4f})."
    )


def _beside(certificate: CertificateFile) -> str:
    told = f"Guessing the most frequent class errs on {certificate.chance_error:.4f}."
    known = certificate.reference
    bound = known.get("holdout_bound")
    if bound is not None:
        told += f" The hold-out bound on the original net is {at_most(bound)}."
    elif certificate.kind != "holdout":
        told += " Held-out samples would give a tighter bound on the original net."
    if known.get("certified_test_error") is not None:
        told += (
            f" Test error: {known['certified_test_error']:.4f} certified,"
            f" {known['test_error']:.4f} original."
        )
    return told


def _original(certificate: CertificateFile) -> str:
    bridge = certificate.own.get("bridge")
    if not bridge:
        return ""
    both = round(certificate.delta + bridge["delta"], 12)
    return (
        f"With probability {confidence(both)}, the original net errs on at most "
        f"{at_most(bridge['bound_original'])}: it differs from the certified one on "
        f"{bridge['disagreements']:,} of {bridge['samples']:,} fresh inputs."
    )


def _made_of(certificate: CertificateFile) -> str:
    own = certificate.own
    if certificate.kind == "holdout":
        return f"Selections on this sample: {own['selections']}."
    if certificate.kind == "code":
        return f"Complexity {certificate.complexity_nats:,.1f} nats: {own['bits']:,.1f} bits."
    steps = own["posterior"]["steps"]
    return (
        f"Complexity {certificate.complexity_nats:,.1f} nats: log ratio"
        f" {own['log_ratio']:,.1f}, prior choice {own['union_nats']:.1f}; best of"
        f" {own['draws']} draws, prior centered at {own['prior']['center']},"
        f" {steps:,} steps of search."
    )


def _compared(check: Check) -> str:
    if check.holds:
        return f"ok    {check.name}: {escape(check.found)}"
    return (
        f"WRONG {check.name}: the certificate states {escape(check.stated)}, but it is"
        f" {escape(check.found)}"
    )
