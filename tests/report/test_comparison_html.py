"""The page of a comparison: whose bound is smaller, on what that rests, norm by norm."""

from __future__ import annotations

import pytest

from boundkit.report.comparison_html import render
from boundkit.report.comparison_text import render as text_of
from tests.report.comparisons import COMPARISONS, covered
from tests.report.test_html import Page
from tests.report.test_pages import embedded


def words(text):
    return " ".join(text.split())


@pytest.mark.parametrize("name", COMPARISONS)
def test_the_verdict_is_that_of_the_text(name):
    made = COMPARISONS[name]()
    text = Page(render(made)).text
    ranked = next(
        line.strip()
        for line in text_of(made, 1000).splitlines()
        if line.strip().startswith(("Ranking", "Only", "Equal", "No net"))
    )

    assert words(ranked) in text
    assert "Upper bounds are compared, nothing else" in text


def test_norms_bounds_and_held_out_errors_are_there():
    made = covered()
    text = Page(render(made)).text

    assert all(one.name in text for one in made.layers)
    assert all(bound in text for bound in made.certificates)
    assert all(one.checkpoint.source in text for one in made.reports)
    assert "Pairs that are ordered as their held-out errors are" in text


def test_the_lines_are_the_logarithms_of_the_norms():
    made = covered()
    (chart,) = embedded(render(made))["charts"]

    assert [one["label"] for one in chart["lines"]] == list(made.labels)
    assert chart["lines"][0]["values"] == pytest.approx(
        [one.log10_rho[0] for one in made.layers if one.counted], rel=1e-5
    )
