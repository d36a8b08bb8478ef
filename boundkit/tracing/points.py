"""What a trace keeps of one checkpoint's report."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from boundkit.sweeping.columns import FIRST, GROUPS, META

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ASIDE", "FAILED", "TRACED", "UNDEFINED", "Point", "Signal", "read_point"]

TRACED = "traced"
UNDEFINED = "undefined"
"""Traced, but numbers in the report are not finite or not defined."""
FAILED = "failed"
ASIDE = "set aside"
"""Analyzed, but no point of the run's course; the reason says why."""

#: What explains numbers and is none.
_WORDS = (".conventions.", ".reasons.", ".present", ".notices")


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Signal:
    """Singular values of the signal-to-noise matrix of the training features.

    Attributes:
        values: Finite ones, descending.
        infinite: How many are infinite.
        classes: C.
        per_class: N, samples per class; None if classes differ in it.
    """

    values: tuple[float, ...]
    infinite: int
    classes: int
    per_class: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """One checkpoint of a run.

    Attributes:
        path: As the user wrote it, or as it was found.
        status: ``"traced"``, ``"undefined"``, ``"failed"`` or ``"set aside"``.
        reason: Why it is none of the first two; one line.
        at: Where in the run: an epoch or a step; None where that is not known.
        row: Column -> number or text, as in the table of a sweep.
        carried: Columns of a manifest.
        metadata: What lay in the checkpoint beside the weights.
        layers: Rows of the report's layers, without their spectra.
        histograms: ``"raw"`` and ``"normalized"`` -> counts and edges, of the training
            margins.
        signal: Of the training features; None without them.
        conventions: Of the report.
    """

    path: str
    status: str
    reason: str = ""
    at: float | None = None
    row: Mapping[str, Any] = field(default_factory=_nothing)
    carried: Mapping[str, Any] = field(default_factory=_nothing)
    metadata: Mapping[str, Any] = field(default_factory=_nothing)
    layers: tuple[Mapping[str, Any], ...] = ()
    histograms: Mapping[str, Mapping[str, Any]] = field(default_factory=_nothing)
    signal: Signal | None = None
    conventions: Mapping[str, Any] = field(default_factory=_nothing)

    @property
    def sound(self) -> bool:
        """Whether it belongs to the course of the run."""
        return self.status in {TRACED, UNDEFINED}

    @property
    def columns(self) -> dict[str, Any]:
        """Everything that a table says of it but its place, path, status and reason."""
        beside = {f"{META}{name}": value for name, value in self.metadata.items()}
        ours = {"at", *FIRST}
        carried = {
            f"manifest.{name}"
            if name in ours or name.startswith(GROUPS)
            else name: value
            for name, value in self.carried.items()
        }
        return {**self.row, **carried, **beside}


def read_point(
    path: str, carried: Mapping[str, Any], result: Mapping[str, Any]
) -> Point:
    """Return what a trace keeps of the result of a sweep.

    Args:
        path: Of the checkpoint.
        carried: Columns of a manifest.
        result: ``boundkit.sweep-result/1`` with its report.
    """
    report = result["report"]
    undefined = result["status"] != "analyzed"
    return Point(
        path,
        UNDEFINED if undefined else TRACED,
        _undefined(report) if undefined else "",
        row={
            name: value
            for name, value in result["row"].items()
            if not any(word in f"{name}." for word in _WORDS)
        },
        carried=carried,
        metadata=result["metadata"],
        layers=tuple(
            {name: value for name, value in layer.items() if name != "spectrum"}
            for layer in report["layers"]
        ),
        histograms=_histograms(report["margins"] or {}),
        signal=_signal(report["collapse"] or {}),
        conventions=report["conventions"],
    )


def _undefined(report: Mapping[str, Any]) -> str:
    told = [one["message"] for one in report["warnings"] if one["code"] == "non-finite"]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return f"{told[0]}{more}" if told else "numbers are not finite"


def _histograms(margins: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    tables = {"raw": margins, "normalized": margins.get("normalized") or {}}
    found = {name: table.get("histogram") for name, table in tables.items()}
    return {name: table for name, table in found.items() if table}


def _signal(collapse: Mapping[str, Any]) -> Signal | None:
    table = collapse.get("snr") or {}
    values = table.get("singular_values")
    if values is None:
        return None
    counts = (collapse.get("per_class") or {}).get("count") or []
    balanced = len(counts) > 0 and min(counts) == max(counts)
    return Signal(
        tuple(values),
        int(table.get("infinite") or 0),
        len(counts) or int(collapse["classes"]),
        float(counts[0]) if balanced else None,
    )
