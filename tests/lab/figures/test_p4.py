"""The judge of P4's figures, on courses whose verdict is known; its axes."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from boundkit.lab.dynamics.layer_peeled import run_ulpm
from boundkit.lab.dynamics.layer_peeled_rows import METRICS as OF_THE_MODEL
from boundkit.lab.figures.ji2022_metrics import (
    METRICS,
    _marks,
    _rank_correlation,
    _short,
    decreases,
    metrics_figure,
)
from boundkit.lab.figures.p4_fig2 import _rate

NAME = "nc1_distance"


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        ([9.0, 4.0, 3.0, 2.0, 1.0], True),
        # Epoch 0, the random net, does not count.
        ([0.1, 4.0, 3.0, 2.0, 1.0], True),
        ([9.0, 1.0, 2.0, 3.0, 4.0], False),
        ([9.0, 4.0, 1.0, 3.9, 3.8], None),
        ([9.0, None, None, 2.0, 1.0], None),
    ],
)
def test_a_metric_decreases_if_it_ends_lower_and_falls_on_the_way(values, holds):
    found = decreases(NAME, [0, 1, 5, 10, 20], values, "epoch")

    assert found.holds is holds
    assert bool(found.reason) is (holds is not True)


def test_the_rank_correlation_is_spearmans():
    values = np.array([3.0, 1.0, 1.0, 2.0, 0.5, 3.0, 7.0])

    expected = spearmanr(values, np.arange(7)).statistic
    np.testing.assert_allclose(_rank_correlation(values), expected, rtol=1e-12, atol=0)
    assert _rank_correlation(np.ones(4)) == 0


def test_the_model_and_the_nets_have_the_same_metrics():
    assert set(METRICS) == set(OF_THE_MODEL)


def test_the_axis_has_one_place_a_factor_and_begins_at_one():
    ticks = [0, 1, 10, 100, 500]
    lines = {"epoch": ticks} | {name: [None, 4, 3, 2, 1] for name in METRICS}

    figure = metrics_figure(lines, "epoch", "a title", "P4")

    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "1",
        "10",
        "100",
        "500",
    ]
    np.testing.assert_allclose(
        axis.get_lines()[0].get_xdata(),
        np.log(1 + np.log([1, 10, 100, 500])),
        rtol=1e-12,
        atol=0,
    )
    assert [len(axis.get_lines()) for axis in figure.axes] == [2, 1, 2, 1]


def test_labels_that_have_no_room_are_left_out():
    assert _marks(150) == [1, 10, 100]
    assert _marks(500) == [1, 10, 100, 500]
    assert _marks(100_000) == [1, 10, 100, 1000, 100_000]
    assert _marks(1) == [1]
    assert _short(100_000) == "1e5"


def test_the_rate_is_that_of_the_simulation():
    found = run_ulpm(steps=200, points=20)

    (check,) = [each for each in found.checks if each.name == "rate"]
    assert _rate(found).holds is check.holds
    assert check.reason in _rate(found).measured


def test_what_diverges_has_no_rate():
    found = run_ulpm(steps=200, points=20, learning_rate=1e6, reduction="sum")

    assert found.stopped
    assert _rate(found).holds is None
    assert _rate(found).reason == found.stopped
