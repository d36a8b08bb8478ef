"""Reports and certificates read back from their JSON files, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundkit.report.reading import read_document, report_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "is_certificate",
    "is_report",
    "read_certificates",
    "read_report",
    "read_subject",
]

#: Of what ``draw``, ``code`` and ``holdout`` write, in the first line but one.
_CERTIFICATE = b'"boundkit.certificate/'


def is_report(path: str | Path) -> bool:
    """Return whether a file begins like a JSON document; checkpoints never do.

    Args:
        path: Of a file.
    """
    return _head(path).startswith(b"{")


def is_certificate(path: str | Path) -> bool:
    """Return whether a file begins like a certificate of ``draw``, ``code``, ``holdout``.

    Args:
        path: Of a file.
    """
    return _CERTIFICATE in _head(path)


def _head(path: str | Path) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(512).lstrip()
    except OSError:
        return b""


def read_subject(path: str | Path) -> Mapping[str, Any]:
    """Return a stored report, or a stored certificate in the shape of one.

    Args:
        path: Of a file that ``--format json``, ``draw``, ``code`` or ``holdout`` wrote.

    Raises:
        DataError: It cannot be read, is no JSON, or is neither.
    """
    if not is_certificate(path):
        return read_report(path)
    from boundkit.gate.certified import alone
    from boundkit.posthoc.certificate import read_certificate

    return alone(read_certificate(Path(path)), str(path))


def read_certificates(
    document: Mapping[str, Any], paths: Iterable[str | Path]
) -> Mapping[str, Any]:
    """Return a report with the bounds of stored certificates added to its own.

    Args:
        document: The report as JSON.
        paths: Of files that ``draw``, ``code`` or ``holdout`` wrote.

    Raises:
        DataError: One cannot be read, or is no certificate.
    """
    from boundkit.gate.certified import beside
    from boundkit.posthoc.certificate import read_certificate

    return beside(document, [read_certificate(Path(path)) for path in paths])


def read_report(path: str | Path) -> Mapping[str, Any]:
    """Return a stored report as dicts and lists, every part of the right kind.

    Args:
        path: Of a file that ``--format json`` wrote.

    Raises:
        DataError: It cannot be read, is no JSON, or is no report of this version.
    """
    document = read_document(path)
    report_of(document, str(path))
    return document
