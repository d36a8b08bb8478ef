"""Regressions and rankings as strict JSON, and the formats they are written in."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from boundkit.regression import html, ranking_html, ranking_text, text
from boundkit.regression.model import REGRESSION_SCHEMA
from boundkit.regression.ranking_model import RANKING_SCHEMA
from boundkit.report import json as report_json
from boundkit.report.formats import Format

if TYPE_CHECKING:
    from boundkit.regression.model import Fit, Regression
    from boundkit.regression.ranking_model import Ranking

__all__ = ["RANKING_FORMATS", "REGRESSION_FORMATS", "document", "ranking_document"]


def document(of: Regression) -> dict[str, Any]:
    """Return a regression as dicts, lists, strings, finite numbers, booleans and None.

    Args:
        of: The regression.
    """
    raw = {
        "schema": REGRESSION_SCHEMA,
        "boundkit": of.boundkit,
        "source": of.source,
        "x": of.x,
        "y": of.y,
        "by": of.by,
        "group": of.group,
        "level": of.level,
        "resamples": of.resamples,
        "seed": of.seed,
        "rows": of.rows,
        "left_out": [asdict(one) for one in of.left_out],
        "fit": _fit(of.fit),
        "groups": [_fit(fit) for fit in of.groups],
        "joint": of.joint and asdict(of.joint),
        "remarks": of.remarks,
        "warnings": [],
    }
    return _quiet(raw)


def _fit(fit: Fit) -> dict[str, Any]:
    found = asdict(fit)
    del found["band"]  # For figures; it follows from the rest.
    return found


def ranking_document(of: Ranking) -> dict[str, Any]:
    """Return a ranking as dicts, lists, strings, finite numbers, booleans and None.

    Args:
        of: The ranking.
    """
    return _quiet({"schema": RANKING_SCHEMA, **asdict(of), "warnings": []})


def _quiet(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the document without warnings: null is what "not defined" is called here."""
    found = report_json.checked(raw)
    del found["warnings"]
    return found


def _written(of: Regression) -> str:
    return report_json.written(document(of))


def _ranking_written(of: Ranking) -> str:
    return report_json.written(ranking_document(of))


def _points(of: Regression) -> str:
    found: str = of.frame().to_csv(index=False, lineterminator="\n")
    return found


def _measures(of: Ranking) -> str:
    found: str = of.frame().to_csv(index=False, lineterminator="\n")
    return found


REGRESSION_FORMATS: tuple[Format[Regression], ...] = (
    Format("text", text.render, text.lines),
    Format("json", _written),
    Format("csv", _points),
    Format("html", html.render),
)
RANKING_FORMATS: tuple[Format[Ranking], ...] = (
    Format("text", ranking_text.render, ranking_text.lines),
    Format("json", _ranking_written),
    Format("csv", _measures),
    Format("html", ranking_html.render),
)
