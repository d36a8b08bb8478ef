"""The ledger's tensors that are no factor of rho, by status and reason."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from boundkit.report.escape import escape
from boundkit.report.wording import plural

if TYPE_CHECKING:
    from boundkit.report.model import Report
    from boundkit.types import LedgerRow

__all__ = ["parameters", "shortfall", "uncounted"]


def uncounted(report: Report) -> list[tuple[tuple[str, str], list[LedgerRow]]]:
    """Return ((status, reason), rows) of folded and skipped tensors, largest first."""
    groups: dict[tuple[str, str], list[LedgerRow]] = {}
    for row in report.ledger:
        if row.status != "counted":
            groups.setdefault((row.status, row.reason), []).append(row)
    return sorted(groups.items(), key=lambda group: -parameters(group[1]))


def parameters(rows: list[LedgerRow]) -> int:
    """Count the elements of those tensors that are parameters."""
    return sum(prod(row.shape) for row in rows if row.parameter)


def shortfall(report: Report, minimum: float) -> str | None:
    """Return what is missing to a coverage of ``minimum``, or None if nothing is."""
    if report.coverage >= minimum:
        return None
    skipped = [group for group in uncounted(report) if group[0][0] == "skipped"]
    lacking = "; ".join(
        f"{plural(parameters(rows), 'parameter')} in {plural(len(rows), 'tensor')}: "
        f"{escape(reason)}"
        for (_, reason), rows in skipped[:3]
    )
    return (
        f"coverage {report.coverage:.10g} is below {minimum:.10g}; "
        f"not counted: {lacking or 'nothing, there are no parameters'}"
    )
