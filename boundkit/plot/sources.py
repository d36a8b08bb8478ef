"""What figures are drawn from: plain data, no model and no report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from boundkit.report.samples import by_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from boundkit.report.model import Report

__all__ = ["Sources", "array_of", "flat", "from_report", "from_sections", "number_of"]


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Everything that a figure may show; what is missing is not drawn.

    Attributes:
        title: What it is about, such as the name of the checkpoint.
        margins: Sample ("train", "test") -> its margins, raw, with their ``histogram``
            (``counts``, ``edges``) and, under ``normalized``, the same over rho.
        collapse: Sample -> dotted names of measures and arrays, such as
            ``cosines.means``, ``eigenvalues.within`` and ``mse.l_nc1``.
        class_names: In the order of the arrays; their numbers where left out.
        spectra: Layer -> its singular values, or (k, 2) pairs of rank and value.
        power_laws: Layer -> alpha and x_min of the squared singular values.
    """

    title: str = ""
    margins: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    collapse: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    class_names: Sequence[str] = ()
    spectra: Mapping[str, ArrayLike] = field(default_factory=_nothing)
    power_laws: Mapping[str, tuple[float, float]] = field(default_factory=_nothing)


def flat(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return tables within tables as one table of dotted names.

    Args:
        tables: Such as ``{"mse": {"total": 1}}``.
        prefix: Of every name.
    """
    found: dict[str, Any] = {}
    for name, value in tables.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


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


def array_of(values: Mapping[str, Any], name: str) -> NDArray[np.float64] | None:
    """Return an array of at least one number, None where it is missing.

    Args:
        values: By dotted name.
        name: Of the array.
    """
    if values.get(name) is None:
        return None
    found = np.asarray(values[name], dtype=np.float64)
    return found if found.size else None


def number_of(values: Mapping[str, Any], name: str) -> float | None:
    """Return a finite number, None where it is missing.

    Args:
        values: By dotted name.
        name: Of the number.
    """
    value = values.get(name)
    return float(value) if value is not None and np.isfinite(value) else None


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
    )
