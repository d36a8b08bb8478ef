"""Certificates of ``draw``, ``code`` and ``holdout`` as what a policy is held against.

Such a certificate is about the weights in one file. Alone it is a report whose bounds are
``draw``, ``code`` or ``holdout``, and ``draw_original`` or ``code_original`` where unlabelled
inputs carry the bound over to the checkpoint that was given. Beside a report it adds these
bounds where the digests say that both are about the same weights.
"""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any

from boundkit.posthoc.certificate import document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from boundkit.posthoc.certificate import CertificateFile

    Row = dict[str, Any]

__all__ = ["alone", "beside"]

_AS_STATED = "as the certificate states it; boundkit verify recomputes it"


def alone(certificate: CertificateFile, source: str) -> Mapping[str, Any]:
    """Return a certificate in the shape of a report.

    Args:
        certificate: Read back, as its schema says.
        source: What verdicts call it.
    """
    whole = document(certificate)
    return {
        "schema": whole["schema"],
        "checkpoint": {"source": source, "sha256": certificate.sha256_out},
        "certificate": whole,
        "certificates": [row for row, _ in _rows(certificate)],
        "layers": [],
        "measurements": [],
        "warnings": [
            {"code": "certificate", "message": told, "tensor": None}
            for told in certificate.warnings
        ],
    }


def beside(
    report: Mapping[str, Any], certificates: Iterable[CertificateFile]
) -> Mapping[str, Any]:
    """Return a report with the bounds of certificates added to its own.

    A bound of the same name is replaced. One about other weights than the report's is
    invalid, and its note says so.

    Args:
        report: As JSON.
        certificates: Of these weights, or of those that they were made of.
    """
    digest = report["checkpoint"].get("sha256")
    added: dict[str, Row] = {}
    warnings = list(report["warnings"])
    for one in certificates:
        for row, about in _rows(one):
            added[row["bound"]] = _checked(row, about, digest)
        warnings += [
            {"code": "certificate", "message": told, "tensor": None}
            for told in one.warnings
        ]
    kept = [row for row in report["certificates"] if row["bound"] not in added]
    return {
        **report,
        "certificates": [*kept, *added.values()],
        "warnings": warnings,
    }


def _rows(one: CertificateFile) -> Iterator[tuple[Row, str | None]]:
    """Yield each bound and the digest of the weights that it is about."""
    terms = {
        "n": one.n,
        "errors": one.errors,
        "error": one.error,
        "chance_error": one.chance_error,
        "complexity_nats": one.complexity_nats,
    }
    note = f"{one.certifies}; {_AS_STATED}"
    yield _row(one.kind, one.bound, one.delta, terms, one.vacuous, note), one.sha256_out
    bridge = one.own.get("bridge")
    if bridge:
        bound = float(bridge["bound_original"])
        delta = one.delta + float(bridge["delta"])
        own = {key: bridge[key] for key in ("samples", "disagreements")}
        note = f"the checkpoint that was given, as it is; {_AS_STATED}"
        vacuous = not bound < 1 - 1 / max(one.classes, 2)
        name = f"{one.kind}_original"
        yield _row(name, bound, delta, own, vacuous, note), one.sha256_in


def _row(
    name: str,
    bound: float,
    delta: float,
    terms: dict[str, float],
    vacuous: bool,
    note: str,
) -> Row:
    return {
        "bound": name,
        "status": "valid",
        "value": bound,
        "log10": log10(bound) if bound > 0 else None,
        "vacuous": vacuous,
        "delta": delta,
        "terms": terms,
        "assumptions": [],
        "source": "boundkit.certificate/1",
        "note": note,
    }


def _checked(row: Row, about: str | None, digest: str | None) -> Row:
    if about is not None and about == digest:
        return row
    if about is None or digest is None:
        note = "no digest says whether it is about these weights"
        return row | {"status": "assumed", "note": note}
    note = (
        f"it is about other weights: sha256 {about[:12]}..., but those of the report "
        f"have {digest[:12]}..."
    )
    return row | {"status": "invalid", "value": None, "log10": None, "note": note}
