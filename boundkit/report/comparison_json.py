"""The comparison as strict JSON, ``boundkit.comparison/1``, and its schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from boundkit.report import json as report_json
from boundkit.report.comparison_model import COMPARISON_SCHEMA

if TYPE_CHECKING:
    from boundkit.report.comparison_model import ComparedLayer, Comparison, MarginLevel

__all__ = ["document", "render", "schema"]

_SOURCE = (
    "Xu, Rangamani, Liao, Galanti, Poggio, Dynamics in deep classifiers trained with "
    "the square loss, equations (17) and (18)"
)
_NOTE = (
    "Upper bounds are compared: the net with the smaller bound may err more often. "
    "The order is sign(rho / gamma of the first - that of the second)."
)
#: What the schema of a report says already.
_SHARED = (
    "assumption",
    "certificate",
    "checkpoint",
    "conventions",
    "measured",
    "rho",
    "rhos",
    "warning",
)


def document(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as dicts, lists, strings, numbers, booleans and None.

    Every number is finite: one that is not becomes None, and a warning says so.
    """
    return report_json.checked(_raw(comparison))


def render(comparison: Comparison) -> str:
    """Return the comparison as one JSON document, one table row a line."""
    return report_json.written(document(comparison))


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every document satisfies."""
    from importlib.resources import files

    path = files("boundkit.report").joinpath("comparison.schema.json")
    own: dict[str, Any] = json.loads(path.read_text("utf-8"))
    shared = report_json.schema()["$defs"]
    taken = {name: shared[name] for name in _SHARED}
    return {**own, "$defs": {**taken, **own["$defs"]}}


def _raw(comparison: Comparison) -> dict[str, Any]:
    reports = [report_json.document(report) for report in comparison.reports]
    return {
        "schema": COMPARISON_SCHEMA,
        "boundkit": comparison.boundkit,
        "conventions": reports[0]["conventions"],
        "checkpoints": [
            _checkpoint(comparison, at, report) for at, report in enumerate(reports)
        ],
        "layers": [_layer(layer) for layer in comparison.layers],
        "relative": _relative(comparison),
        "pairs": [asdict(pair) for pair in comparison.pairs],
        "agreements": [asdict(one) for one in comparison.agreements],
        "certificates": _certificates(comparison, reports),
        "warnings": [asdict(notice) for notice in comparison.warnings],
        "seconds": comparison.seconds,
    }


def _checkpoint(
    comparison: Comparison, at: int, report: dict[str, Any]
) -> dict[str, Any]:
    found = comparison.relative
    label = comparison.labels[at]
    ranks = {x: place for place, xs in enumerate(comparison.ranking, 1) for x in xs}
    return {
        "label": label,
        "checkpoint": report["checkpoint"],
        "coverage": report["coverage"],
        "rho": report["rho"],
        "margin": found.chosen.margins[at],
        "log10_ratio": found.chosen.log10_ratios[at],
        "rank": ranks.get(label),
        "test_error": found.test_errors[at],
    }


def _layer(layer: ComparedLayer) -> dict[str, Any]:
    base, *_ = layer.log10_rho
    return asdict(layer) | {
        "log10_ratio_to_first": [
            None if base is None or log10 is None else log10 - base
            for log10 in layer.log10_rho
        ]
    }


def _relative(comparison: Comparison) -> dict[str, Any]:
    found = comparison.relative
    return {
        "status": found.status,
        "assumptions": [asdict(each) for each in found.assumptions],
        "compared": found.compared,
        "margin_loss": found.chosen.margin_loss,
        "ranking": found.chosen.ranking,
        "levels": [_level(level) for level in found.levels],
        "source": _SOURCE,
        "note": _NOTE,
    }


def _level(level: MarginLevel) -> dict[str, Any]:
    return {
        "margin_loss": level.margin_loss,
        "margins": level.margins,
        "log10_ratios": level.log10_ratios,
        "ranking": level.ranking,
    }


def _certificates(
    comparison: Comparison, reports: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return one row per bound, with its certificate for each net."""
    rows = [{one["bound"]: one for one in report["certificates"]} for report in reports]
    return [
        {"bound": bound, "certificates": [row[bound] for row in rows]}
        for bound in comparison.certificates
    ]
