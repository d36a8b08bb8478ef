from __future__ import annotations

import pytest

from boundkit.report.escape import has_hidden
from boundkit.report.markdown import render
from tests.report.reports import REPORTS

each_report = pytest.mark.parametrize("name", REPORTS)


def test_the_verdict_stands_before_the_bounds_and_these_before_the_layers():
    written = render(REPORTS["proved"]())
    places = [
        written.index(words)
        for words in (
            "Proved from the weights",
            "### Test error is at most",
            "### Layers",
        )
    ]

    assert places == sorted(places)
    assert "| sparse\\_cnn | **0.264** | valid | margin loss 0.074" in written
    assert "| fc.weight | linear 1x12544 | 3.02 | 57 % | 3.02 | 1.00 |" in written


@each_report
def test_every_table_has_cells_of_one_number(name):
    tables = []
    for line in render(REPORTS[name]()).splitlines():
        if line.startswith("|"):
            tables.append(line.replace("\\\\", "").replace("\\|", "").count("|"))
        elif tables:
            assert len(set(tables)) == 1
            tables = []


@each_report
def test_nothing_is_hidden_and_no_markup_of_a_name_is_left(name):
    written = render(REPORTS[name]())

    assert not any(has_hidden(line) for line in written.split("\n"))
    assert "<script>" not in written


def test_a_deep_net_keeps_its_first_layers_and_says_so():
    written = render(REPORTS["deep"]())

    assert "and 440 more layers; all of them are in --format json" in written
    assert len(written) < 65_536  # what a comment on GitHub may hold


def test_warnings_are_listed():
    assert "- **non-finite** mid.weight holds 3 NaN" in render(REPORTS["refuted"]())
