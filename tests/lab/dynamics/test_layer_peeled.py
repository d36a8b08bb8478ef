"""``simulate ulpm``: claims, the saddle, divergence, refusals."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from boundkit.errors import UsageError
from boundkit.lab.dynamics.charts import drawn
from boundkit.lab.dynamics.layer_peeled import run_ulpm

EXAMPLE = {
    "method": "flow",
    "start": "saddle",
    "classes": 4,
    "per_class": 1,
    "width": 4,
    "points": 40,
}


@pytest.fixture(scope="module")
def flow():
    return run_ulpm(method="flow", time=1e100, points=40)


@pytest.fixture(scope="module")
def descent():
    return run_ulpm(steps=3000, points=30)


@pytest.fixture(scope="module")
def escape():
    return run_ulpm(**EXAMPLE, time=1e120)


def test_all_claims_but_the_rate_hold_along_the_flow(flow):
    assert [check.name for check in flow.checks if not check.holds] == ["rate"]
    assert len(flow.checks) == 11
    assert not flow.undefined


def test_what_is_outside_the_span_falls_with_half_the_exponent(flow):
    logs = np.log1p(flow.table().column("time"))
    late = logs > logs[-1] / 2

    for name, told in (("nc1_distance", -0.5), ("nc2_max_angle_means", -1.0)):
        values = flow.table().column(name)[late]
        slope = np.polyfit(np.log(logs[late]), np.log(values), 1)[0]
        # Of a limit in log t.
        assert_allclose(slope, told, atol=0.05)
    assert "nc1_distance -0.49" in flow.check("rate").reason


def test_bounds_hold_along_descent(descent):
    for name in ("margin", "loss", "KKT epsilon", "KKT delta", "smoothed margin"):
        assert descent.check(name).holds
    # W^T W - H H^T is of the flow.
    assert descent.check("conserved").holds is None
    assert descent.check("largest margin").holds is None
    assert descent.summary["steps"] == 3000


def test_smaller_steps_conserve_better(descent):
    fine = run_ulpm(steps=3000, points=12, learning_rate=0.5)

    assert fine.check("conserved").found < descent.check("conserved").found / 5


def test_the_flow_leaves_the_saddle_for_the_simplex(escape):
    assert [check.name for check in escape.checks if not check.holds] == []
    angle = escape.table().column("angle")[-1]
    # The simplex is where tan(angle) = 1 / sqrt(2) on the great circle.
    assert_allclose(math.tan(angle), math.sqrt(0.5), rtol=1e-6)
    assert_allclose(escape.table().column("margin_efficiency")[0], 0.76, atol=0.02)


def test_the_great_circle_is_a_table_of_its_own(escape):
    circle = escape.table("circle")

    lowest = np.argmin(circle.column("loss"))
    assert_allclose(
        circle.column("angle")[lowest], math.atan(math.sqrt(0.5)), atol=0.03
    )


def test_the_saddle_itself_is_only_stretched():
    run = run_ulpm(**EXAMPLE, time=1e50, offset=0.0)

    assert run.check("stuck").holds
    assert_allclose(run.table().column("margin_efficiency"), 0.75, rtol=1e-9)
    assert run.check("neural collapse").holds is None
    assert "no nearer" in run.check("neural collapse").reason


def test_steps_from_the_saddle_leave_the_linear_theory_open():
    run = run_ulpm(**(EXAMPLE | {"method": "descent"}), steps=100, learning_rate=0.1)

    assert run.check("escape").holds is None
    assert "choose method flow" in run.check("escape").reason


def test_the_rate_of_the_paper_diverges_on_the_summed_loss():
    run = run_ulpm(reduction="sum", steps=1000)

    assert "diverge at learning rate 5" in run.stopped
    assert run.undefined
    assert "P4's rate of 5 fits the mean" in run.notes[0]
    assert len(run.table().column("step")) > 2
    assert {check.name for check in run.checks} == {
        "margin",
        "loss",
        "KKT epsilon",
        "KKT delta",
        "smoothed margin",
        "conserved",
    }


def test_a_rate_that_diverges_at_once_keeps_its_first_row():
    run = run_ulpm(learning_rate=1e12, steps=100)

    assert run.stopped is not None
    assert len(run.table().column("step")) >= 1


def test_one_dimension_less_than_classes_runs_with_a_note():
    run = run_ulpm(classes=3, per_class=2, width=2, steps=2000, points=20)

    assert run.check("margin").holds
    assert "P4 Theorem 3.4 needs width >= classes = 3" in run.notes[0]


def test_two_classes_run():
    run = run_ulpm(classes=2, per_class=1, width=1, method="flow", time=1e60, points=30)

    assert run.check("largest margin").holds


def test_seeds_differ_and_repeat(descent):
    again = run_ulpm(steps=3000, points=30)
    other = run_ulpm(steps=3000, points=30, seed=1)

    loss = descent.table().column("loss")
    assert np.array_equal(again.table().column("loss"), loss)
    assert not np.allclose(other.table().column("loss"), loss, rtol=1e-3, atol=0)


def test_figures_are_drawn(escape, descent):
    assert set(drawn(descent.charts)) == {"ulpm", "ulpm-collapse"}
    figures = drawn(escape.charts)
    assert set(figures) == {"ulpm", "ulpm-collapse", "ulpm-saddle"}
    # Near the saddle all metrics but the cosines are zero.
    assert [len(figure.axes) for figure in figures.values()] == [4, 1, 2]


def test_figures_of_a_diverged_run_are_drawn():
    figures = drawn(run_ulpm(reduction="sum", steps=1000).charts)

    # Without a separated sample there is no KKT residual to draw.
    assert [len(figure.axes) for figure in figures.values()] == [3, 4]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 1}, "classes must be a whole number of at least 2, but got 1"),
        ({"per_class": 0}, "per_class must be a whole number of at least 1"),
        ({"width": 3}, r"width must be at least classes - 1 = 4, but got 3; fewer"),
        ({"learning_rate": -1.0}, "learning_rate must be a number above 0, but got -1"),
        ({"learning_rate": float("inf")}, "learning_rate must be a number above 0"),
        ({"steps": 0}, "steps must be a whole number of at least 10"),
        ({"reduction": "max"}, "reduction must be one of mean, sum, but got 'max'"),
        ({"method": "newton"}, "method must be one of descent, flow"),
        ({"start": "zero"}, "start must be one of random, saddle"),
        ({"time": -1.0}, "time must be a number above 0"),
        ({"time": 1e301}, r"time must be at most 1e\+300, but got 1e\+301"),
        ({"scale": 0.0}, "scale must be a number above 0"),
        ({"scale": 100.0}, "scale must be between 1e-06 and 30, but got 100; smaller"),
        ({"scale": 1e-9}, "scale must be between 1e-06 and 30, but got 1e-09"),
        ({"offset": -0.1}, "offset must be a number of at least 0"),
        ({"offset": 1.6}, "offset must be below pi/2 in radians, but got 1.6"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"points": 3}, "points must be a whole number of at least 12"),
        ({"start": "saddle"}, "start saddle needs an even number of classes"),
        (
            {"start": "saddle", "classes": 4, "width": 3},
            "start saddle needs a width of at least classes = 4",
        ),
        ({"method": "flow", "solver": "Euler"}, "solver must be one of"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        run_ulpm(**settings)
