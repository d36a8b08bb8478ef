"""The table that the headline benchmark prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def module(name: str) -> ModuleType:
    """Import a benchmark as the benchmarks import each other."""
    before = list(sys.path)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return __import__(name)
    finally:
        sys.path[:] = before


headline = module("headline")


def line(**changed: object) -> dict[str, object]:
    """Return what the table would say about some net."""
    return {
        "net": "a",
        "parameters_over_n": 2.0,
        "rho": 3.0,
        "train_error": 0.0,
        "test_error": 0.01,
        "target": 0.2,
        "met": True,
        "status": "valid",
        "value": 0.175,
        "reason": "",
        "margin_loss": 0.1,
        "complexity": 0.05,
        "confidence": 0.025,
        "beside": {"other": {"status": "valid", "value": 0.35, "ratio": 2.0}},
    } | changed


def test_table_gives_summands_and_ratios():
    last = headline.markdown([line()]).splitlines()[-1]

    assert "| **0.175** | 0.100 + 0.050 + 0.025 | 0.35 (2x) |" in last
    assert "| 0.2 |" in last


def test_table_says_which_numbers_are_only_assumed():
    other = {"other": {"status": "assumed", "value": 350.0, "ratio": 2000.0}}
    last = headline.markdown([line(status="assumed", beside=other)]).splitlines()[-1]

    assert "| **0.175** (assumed) |" in last
    assert "| 350 assumed (2,000x) |" in last


def test_table_shows_a_missed_target():
    last = headline.markdown([line(met=False)]).splitlines()[-1]

    assert "| 0.2 MISSED |" in last


def test_table_gives_the_reason_where_there_is_no_value():
    other = {"other": {"status": "invalid", "value": None, "ratio": None}}
    of = line(value=None, status="invalid", reason="residual addition", beside=other)
    last = headline.markdown([of]).splitlines()[-1]

    assert "| invalid | residual addition | invalid |" in last
