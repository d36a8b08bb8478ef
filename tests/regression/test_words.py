"""What is said in words, and when it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import boundkit
from boundkit.regression.words import p_text


def remarks(x, y, **options):
    frame = pd.DataFrame({
        "inverse_rho": x,
        "test_error": y,
        "path": list(range(len(x))),
    })
    found = boundkit.regress(frame, resamples=200, **options)
    return "\n".join(found.fit.remarks)


def test_few_points_are_said_to_be_few():
    # t(.975, 2) = 4.303: R2 must reach 4.303^2 / (4.303^2 + 2) = 0.902.
    said = remarks([1.0, 2, 3, 4], [4.0, 3, 1.5, 1])

    assert "4 points leave 2 degrees of freedom: an R2 below 0.902" in said
    assert "the least possible p is 2/24 = 0.083" in said


def test_many_points_on_a_line_need_few_words():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    said = remarks(x, 3 - x + 0.3 * rng.normal(size=40))

    assert said.startswith("larger inverse_rho goes with smaller test_error")
    assert "\n" not in said


def test_a_point_that_turns_the_slope_is_named():
    said = remarks([1.0, 2, 3, 4, 20], [4.0, 3, 2, 1, 9])

    assert "the slope changes its sign without 4" in said


def test_a_point_that_moves_the_line_is_named():
    said = remarks([1.0, 2, 3, 4, 20], [1.0, 2, 3.1, 4, 8])

    assert "4 moves the line far (Cook's distance" in said
    assert "without it the slope is 1.01 and R2" in said


def test_a_point_that_decides_alone_is_named():
    said = remarks([1.0, 1, 1, 2], [1.0, 2, 3, 7])

    assert "3 alone decides the slope" in said


def test_a_curve_is_said_to_be_none():
    x = np.linspace(0.1, 3, 20)
    said = remarks(x, np.exp(-3 * x))

    assert "the relation is not linear" in said
    assert "order says more than the line: Spearman -1" in said


def test_unequal_spread_is_said():
    rng = np.random.default_rng(1)
    x = np.linspace(0, 1, 60)

    assert "do not spread evenly" in remarks(x, x + x**2 * rng.normal(size=60))


def test_no_line_is_no_claim():
    rng = np.random.default_rng(2)
    said = remarks(*rng.normal(size=(2, 30)))

    assert said.startswith("the 95 % interval of the slope holds 0")
    assert "goes with" not in said


def test_groups_that_make_up_the_line_are_said():
    frame = pd.DataFrame({
        "inverse_rho": [0, 1, 2, 10, 11, 12.0],
        "test_error": [2, 1.1, 0, 12, 10.9, 10],
        "g": list("aaabbb"),
    })
    found = boundkit.regress(frame, group="g", resamples=200)

    assert any("Simpson's paradox" in one for one in found.remarks)


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.0309, "p = 0.031"), (0.0, "p < 1e-16"), (float("nan"), "p not defined")],
)
def test_p_values_in_words(p, said):
    assert p_text(p) == said
