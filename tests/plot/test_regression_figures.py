"""Figures of regressions and rankings: what is drawn is what came in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import boundkit
from boundkit.errors import UsageError
from boundkit.plot.regressions.level_bars import Bars, level_bars
from boundkit.plot.regressions.ranking_chart import Ranked, RankedMeasure, ranking_chart
from boundkit.plot.regressions.scatter import Cloud, Scattered, scatter

NASTY = r"a$b_{\frac} ü" + "\n\x1b[31m" + "x" * 300
NAN = float("nan")


def drawn(figure):
    figure.canvas.draw()
    return figure


def cloud(label="", x=(1.0, 2.0, 3.0), sd=NAN, band=None):
    return Cloud(label, x, (3.0, 1.0, 2.0), (sd,) * 3, (sd,) * 3, band)


def test_points_stand_where_they_are():
    figure = drawn(scatter(Scattered("", "x", "y", 0.95, (cloud("a"), cloud("b")))))
    (axes,) = figure.axes

    for container in axes.containers:
        line = container.lines[0]
        assert line.get_xdata().tolist() == [1, 2, 3]
        assert line.get_ydata().tolist() == [3, 1, 2]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["a", "b"]


def test_error_bars_are_drawn_where_there_are_repeats():
    without = scatter(Scattered("", "x", "y", 0.95, (cloud(),))).axes[0]
    having = scatter(Scattered("", "x", "y", 0.95, (cloud(sd=0.5),))).axes[0]

    assert not without.containers[0].has_yerr
    assert having.containers[0].has_xerr


def test_an_interval_of_few_points_does_not_squeeze_them():
    ends = (0.0, 4.0)
    band = (ends, ends, (-1e9, -1e9), (1e9, 1e9), (-2e9, -2e9), (2e9, 2e9))
    figure = drawn(scatter(Scattered("", "x", "y", 0.95, (cloud(band=band),))))
    low, high = figure.axes[0].get_ylim()

    assert high - low < 10


def test_many_groups_are_drawn_in_gray():
    clouds = tuple(cloud(f"g{i}") for i in range(20))
    figure = drawn(scatter(Scattered("", "x", "y", 0.95, clouds)))

    assert len(figure.axes[0].get_legend().get_texts()) == 8
    assert len(figure.axes[0].containers) == 20


def test_bars_have_the_heights_of_the_points():
    series = {"a": ((1.0, 0.1, 5.0, NAN), None), "b": ((2.0, NAN, 6.0, 0.2),) * 2}
    figure = drawn(level_bars(Bars("", "r", ("0", "1"), "x", "y", series)))
    left, right = figure.axes

    def heights(axes):
        return sorted(patch.get_height() for patch in axes.patches)

    assert heights(left) == [1, 2, 2]
    assert heights(right) == [5, 6, 6]
    assert [t.get_text() for t in left.get_xticklabels()] == ["0", "1"]


def test_ranked_measures_stand_best_first():
    measures = tuple(
        RankedMeasure(f"m{i}", 0.5 - 0.01 * i, NAN, NAN, NAN, NAN) for i in range(40)
    )
    figure = drawn(ranking_chart(Ranked("t", "y", measures)))
    (axes,) = figure.axes

    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:2] == ["m0", "m1"]
    assert len(names) == 30
    assert axes.yaxis_inverted()
    assert "best 30 of 40" in figure.get_suptitle()


def test_sign_errors_have_a_panel():
    one = RankedMeasure("m", 0.5, 0.4, 0.1, 0.2, 0.3)
    figure = drawn(ranking_chart(Ranked("", "y", (one,))))
    drawn_at = [line.get_xdata()[0] for line in figure.axes[1].lines[:3]]

    assert drawn_at == [0.1, 0.2, 0.3]


def test_names_from_files_are_drawn_as_they_are():
    drawn(scatter(Scattered(NASTY, NASTY, NASTY, 0.95, (cloud(NASTY),))))
    drawn(level_bars(Bars(NASTY, NASTY, (NASTY,), NASTY, NASTY, {NASTY: (None,)})))
    one = RankedMeasure(NASTY, 0.5, 0.4, 0.1, 0.2, 0.3)
    drawn(ranking_chart(Ranked(NASTY, NASTY, (one,))))


def test_a_regression_draws_itself():
    frame = pd.DataFrame({
        "inverse_rho": [1.0, 2, 3, 4, 5, 7],
        "test_error": [4.0, 3, 1, 1, 2, 0],
        "noise": [0, 0, 1, 1, 10, 10],
    })
    found = boundkit.regress(frame, by="noise", resamples=200)
    (axes,) = drawn(found.plot()).axes
    bars = drawn(found.plot_bars())

    np.testing.assert_allclose(
        axes.containers[0].lines[0].get_xdata(), [1.5, 3.5, 6], rtol=1e-12
    )
    assert [t.get_text() for t in bars.axes[0].get_xticklabels()] == ["0", "1", "10"]


def test_bars_need_levels():
    frame = pd.DataFrame({"inverse_rho": [1, 2, 3.0], "test_error": [1, 2, 4.0]})

    with pytest.raises(UsageError, match="bars need levels to stand on; name their"):
        boundkit.regress(frame, resamples=200).plot_bars()


def test_a_ranking_draws_itself():
    frame = pd.DataFrame({"a": [1, 2, 3, 4.0], "test_error": [1, 2, 4, 3.0]})

    assert drawn(boundkit.rank_measures(frame).plot()).axes
