"""The page of a ranking: measures best first, and what was not ranked."""

from __future__ import annotations

import numpy as np
import pandas as pd

import boundkit
from boundkit.regression.ranking_html import render
from tests.report.test_html import Page
from tests.report.test_pages import embedded


def ranking(measures=3, rows=12, **options):
    rng = np.random.default_rng(0)
    error = rng.uniform(size=rows)
    columns = {
        f"m{k}": error + 0.3 * k * rng.normal(size=rows) for k in range(measures)
    }
    return boundkit.rank_measures(
        pd.DataFrame({"test_error": error, **columns, "flat": 1.0}), **options
    )


def test_the_best_is_named_and_drawn_first():
    found = ranking()
    written = render(found)
    (chart,) = embedded(written)["charts"]

    assert chart["names"][0] == found.measures[0].name == "m0"
    assert chart["values"][0] == 1.0
    assert "Best: m0, which grows with test_error." in Page(written).text
    assert "It bounds no error" in Page(written).text


def test_many_measures_are_all_in_the_table():
    written = render(ranking(50, 30))
    (chart,) = embedded(written)["charts"]

    assert len(chart["names"]) == 40
    assert "the first 40 of 50" in Page(written).text
    assert written.count('<td class="tag">m') == 50


def test_what_is_not_ranked_has_its_reason():
    text = Page(render(ranking())).text

    assert "Not ranked" in text
    assert "flat" in text


def test_the_size_of_the_test_sample_is_a_fact():
    assert "test samples 2,000" in Page(render(ranking(test_size=2000))).text
