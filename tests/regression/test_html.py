"""The page of a regression: the line and its caution, points, and every number."""

from __future__ import annotations

import pytest

import boundkit
from boundkit.regression.html import CAUTION, render
from tests.report.pages import frame, regression
from tests.report.test_html import Page
from tests.report.test_pages import embedded


def test_the_line_stands_first_and_then_that_it_is_a_correlation():
    found = regression()
    text = Page(render(found)).text
    r2 = found.fit.line.r2

    assert f"R2 {r2:.3g}" in text
    assert text.index("slope -") < text.index(CAUTION) < text.index("Points and lines")


def test_points_their_errors_and_the_band_are_drawn():
    found = regression(by=("noise",))
    (chart,) = embedded(render(found))["charts"]
    (group,) = chart["groups"]

    assert group["x"] == pytest.approx([p.x for p in found.fit.points], rel=1e-5)
    assert group["y_sd"] == pytest.approx([p.y_sd for p in found.fit.points], rel=1e-5)
    assert group["band"]["fitted"] == pytest.approx(found.fit.band.fitted, rel=1e-5)
    low, high = chart["ranges"][1]
    assert low < min(group["y"]) < max(group["y"]) < high


def test_single_points_have_no_error_bars():
    (chart,) = embedded(render(regression()))["charts"]

    assert set(chart["groups"][0]["x_sd"]) == {None}


def test_groups_have_lines_of_their_own_and_a_model_together():
    found = regression(group="decay", by=("noise", "decay"))
    text = Page(render(found)).text
    (chart,) = embedded(render(found))["charts"]

    assert len(chart["groups"]) == 2
    assert "All groups of decay in one model" in text
    assert "slopes differ F(1, 2)" in text


def test_many_groups_are_cut_in_the_verdict_and_in_the_chart():
    table = frame(120)
    table["decay"] = [str(k % 30) for k in range(120)]
    found = boundkit.regress(table, group="decay", resamples=100)
    text = Page(render(found)).text
    (chart,) = embedded(render(found))["charts"]

    assert "24 more groups are in the table below." in text
    assert len(chart["groups"]) == 20
    assert "The first 20 of 30 groups." in text


def test_rows_that_are_left_out_and_groups_without_a_line_have_their_reasons():
    table = frame()
    table.loc[0, "test_error"] = float("nan")
    table["decay"] = ["a"] * 22 + ["b"] * 2
    found = boundkit.regress(table, group="decay", resamples=100)
    text = Page(render(found)).text

    assert "Left out 1 row: " in text
    assert f"decay = b: no line: {found.groups[1].reason}" in text


def test_every_point_is_a_row():
    assert sum(f"{k} " in Page(render(regression())).text for k in range(24)) == 24
