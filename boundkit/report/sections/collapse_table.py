"""Neural collapse: the measures people compare, for each sample; the rest is in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boundkit.report.escape import escape
from boundkit.report.samples import by_sample
from boundkit.report.spans import Line, pad, wrap
from boundkit.report.wording import significant

if TYPE_CHECKING:
    from boundkit.report.model import Report

__all__ = ["collapse_table"]

#: Path into a sample's table -> what the line is called.
_ROWS = {
    "nc1_pinv": "NC1  tr(Sigma_W Sigma_B^+)",
    "nc1_ratio": "     tr Sigma_W / tr Sigma_B",
    "cdnv": "     CDNV",
    "nc2_equinorm_means": "NC2  spread of norms, means",
    "nc2_equinorm_weights": "     spread of norms, classifier",
    "nc2_max_angle_means": "     off simplex angles, means",
    "nc2_max_angle_weights": "     off simplex angles, classifier",
    "nc3_frobenius": "NC3  classifier off means",
    "binary.cos_difference": "     cosine to difference of means",
    "nc4_mismatch": "NC4  not the nearest mean's class",
    "snr.ratio": "signal to noise, largest / smallest",
    "mse.total": "square loss of the last layer",
    "mse.l_nc1": "  variation within classes (NC1)",
    "mse.l_nc23": "  class means off targets (NC2, 3)",
    "mse.l_perp": "  off the central path",
    "ulpm.margin_efficiency": "margin / layer-peeled bound",
}
_SAMPLES = {"train": "training", "test": "held-out"}
_LABEL, _CELL = 42, 12


def collapse_table(report: Report, width: int) -> tuple[Line, ...]:
    """Return the main measures of collapse per sample, and what to bear in mind."""
    tables = by_sample(report.collapse)
    samples = {_SAMPLES[key]: table for key, table in tables.items()}
    if not samples:
        return ()
    titles = "".join(title.rjust(_CELL) for title in samples)
    lines: list[Line] = [((pad("  Neural collapse", _LABEL) + titles, "title"),)]
    for path, label in _ROWS.items():
        values = [_at(table, path) for table in samples.values()]
        if any(value is not None for value in values):
            cells = "".join(_cell(value).rjust(_CELL) for value in values)
            lines.append(((pad(f"    {label}", _LABEL), "dim"), (cells, "")))
    for note in _notes(samples):
        lines += wrap([(note, "dim")], width, 4, 6)
    return tuple(lines)


def _at(table: Any, path: str) -> float | None:
    for step in path.split("."):
        table = table.get(step) if isinstance(table, Mapping) else None
    return table if isinstance(table, int | float) else None


def _cell(value: float | None) -> str:
    return "-" if value is None else significant(value)


def _notes(samples: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the notices, each once, with the samples that it is about."""
    about: dict[str, list[str]] = {}
    for title, table in samples.items():
        for note in table.get("notices", ()):
            about.setdefault(note, []).append(title)
    return [f"{escape(note)} ({', '.join(titles)})" for note, titles in about.items()]
