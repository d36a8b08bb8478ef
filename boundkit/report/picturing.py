"""What figures show of a report: plain data, as the figures want them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundkit.plot.sources import Sources, flat
from boundkit.report.samples import by_sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boundkit.report.model import Report

__all__ = ["from_report", "from_sections"]


def from_sections(
    title: str,
    margins: Mapping[str, Any] | None,
    collapse: Mapping[str, Any] | None,
) -> Sources:
    """Return what the sections of a report hold; larger tables are not in them.

    Args:
        title: What the report is about.
        margins: Of the training sample, with those of another under ``test``; or None.
        collapse: Likewise, or None.
    """
    return Sources(
        title=title,
        margins=by_sample(margins),
        collapse={name: flat(table) for name, table in by_sample(collapse).items()},
    )


def from_report(report: Report) -> Sources:
    """Return what a report holds.

    Args:
        report: Of one checkpoint.
    """
    found = from_sections(report.checkpoint.source, report.margins, report.collapse)
    laws: dict[str, dict[str, float]] = {}
    for one in report.measurements:
        if one.layer is not None and one.value is not None:
            laws.setdefault(one.layer, {})[one.name] = one.value
    alphas = {row.name: row.columns.get("alpha") for row in report.layers}
    return replace(
        found,
        spectra={row.name: row.spectrum for row in report.layers if row.spectrum},
        power_laws={
            name: (float(alpha), laws[name]["power_law.x_min"])
            for name, alpha in alphas.items()
            if alpha is not None and "power_law.x_min" in laws.get(name, {})
        },
        norms={
            row.name: row.log10_rho
            for row in report.layers
            if row.counted and row.log10_rho is not None
        },
        noise=(report.noise or {}).get("layers") or {},
    )
