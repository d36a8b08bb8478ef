"""The report as JUnit XML, for the dashboards of CI services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundkit.report.markup import attribute
from boundkit.report.sections.bound_table import bound_cells
from boundkit.report.wording import at_most

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boundkit.report.model import Report
    from boundkit.report.sections.bound_table import BoundCells

__all__ = ["render"]


def render(report: Report) -> str:
    """Return the report as JUnit XML.

    A certificate is a test case: passed if it states something below 1, skipped with its
    reason if not. A number that is not finite is a failure, as it is in the exit code.
    Limits of your own are the business of ``boundkit check``.

    Args:
        report: What to show.
    """
    cases = [*_certificates(report), *_undefined(report)]
    failures = len(report.undefined)
    skipped = sum("<skipped" in case for case in cases)
    total = sum(report.seconds.get(key, 0.0) for key in ("total",))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites><testsuite name="boundkit analyze" tests="{len(cases)}" '
        f'failures="{failures}" errors="0" skipped="{skipped}" time="{total:.3f}">\n'
        f"{_properties(report)}{''.join(cases)}</testsuite></testsuites>\n"
    )


def _properties(report: Report) -> str:
    log10 = report.rho_stored.log10
    known = {
        "checkpoint": report.checkpoint.source,
        "sha256": report.checkpoint.sha256 or "",
        "boundkit": report.boundkit,
        "coverage": f"{report.coverage:.10g}",
        "rho.stored.log10": "" if log10 is None else f"{log10:.10g}",
    }
    found = "".join(
        f"<property name={attribute(name)} value={attribute(value)}/>\n"
        for name, value in known.items()
    )
    return f"<properties>\n{found}</properties>\n"


def _certificates(report: Report) -> Iterator[str]:
    rows = zip(report.certificates.values(), bound_cells(report), strict=True)
    for certificate, cells in rows:
        head = (
            f'<testcase classname="boundkit.certificates" name={attribute(cells.bound)}'
        )
        if certificate.vacuous:
            yield f"{head}><skipped message={attribute(_why(cells))}/></testcase>\n"
        else:
            value = at_most(certificate.value or 0.0, certificate.log10)
            told = f"{cells.status}: at most {value}; {cells.detail}"
            yield f"{head}><system-out>{_text(told)}</system-out></testcase>\n"


def _why(cells: BoundCells) -> str:
    return f"{cells.status}: {cells.value if cells.value != '-' else cells.detail}"


def _undefined(report: Report) -> Iterator[str]:
    for one in report.undefined:
        name = one.tensor or one.message
        yield (
            f'<testcase classname="boundkit.numbers" name={attribute(name)}>'
            f"<failure message={attribute(one.message)}/></testcase>\n"
        )


def _text(written: str) -> str:
    return attribute(written)[1:-1]
