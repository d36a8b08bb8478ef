"""``simulate central-path``: claims, limits, refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from boundkit.errors import UsageError
from boundkit.lab.dynamics.central_path import run_central_path
from boundkit.lab.dynamics.charts import drawn


@pytest.fixture(scope="module")
def run():
    return run_central_path(points=40)


@pytest.fixture(scope="module")
def short():
    return run_central_path(classes=3, per_class=4, width=6, time=20.0, points=12)


def test_every_claim_holds(run):
    assert [check.name for check in run.checks if not check.holds] == []
    assert len(run.checks) == 17
    assert not run.undefined


def test_the_closed_form_is_met_to_a_millionth(run):
    assert run.check("closed form").error < 1e-8


def test_values_end_equal_and_at_the_fourth_root(run):
    last = run.frame().iloc[-1]

    assert_allclose(last["omega_4"], (4 * 1e9 / 10) ** 0.25, rtol=1e-3)
    assert_allclose(last["omega_ratio"], 1, rtol=1e-6)


def test_the_constants_are_named(run):
    assert "c1 = N C^2 = 250, c2 = N C = 50, c3 = N / 4 = 2.5" in run.notes[0]


def test_whitening_each_step_is_another_flow():
    run = run_central_path(renormalize="whiten", time=1e6)

    assert run.check("closed form").holds
    growth = run.check("growth")
    assert growth.holds is False
    assert "t^(1/2)" in growth.reason
    # The last decade of a finite time.
    assert_allclose(growth.found, 0.5, rtol=0.01)


def test_a_short_run_leaves_limits_open(short):
    assert short.check("closed form").holds
    assert short.check("growth").holds is None
    assert "run longer" in short.check("growth").reason
    assert short.check("features to the frame").holds is None


def test_every_solver_gives_the_same(short):
    for solver in ("RK45", "LSODA", "Radau"):
        other = run_central_path(
            classes=3, per_class=4, width=6, time=20.0, points=12, solver=solver
        )
        assert_allclose(
            other.table().column("omega_1"), short.table().column("omega_1"), rtol=1e-6
        )


def test_seeds_differ_and_repeat(short):
    again = run_central_path(classes=3, per_class=4, width=6, time=20.0, points=12)
    other = run_central_path(
        classes=3, per_class=4, width=6, time=20.0, points=12, seed=1
    )

    omega = short.table().column("omega_1")
    assert np.array_equal(again.table().column("omega_1"), omega)
    assert not np.allclose(other.table().column("omega_1"), omega, rtol=1e-3, atol=0)


@pytest.mark.parametrize("width", [1, 2])
def test_two_classes_and_the_smallest_width(width):
    run = run_central_path(classes=2, per_class=3, width=width, time=1e8, points=20)

    assert run.check("closed form").holds
    assert run.check("size").holds


def test_the_smallest_width_holds_a_simplex():
    run = run_central_path(classes=4, per_class=3, width=3, time=1e6, points=20)

    assert run.check("NC2").holds


def weak(rtol, atol):
    return run_central_path(
        classes=3,
        per_class=4,
        width=4,
        signal=1e-4,
        time=1e3,
        rtol=rtol,
        atol=atol,
        points=20,
    ).check("closed form")


def test_a_weak_signal_needs_a_fine_tolerance():
    coarse, fine = weak(1e-7, 1e-9), weak(1e-12, 1e-15)

    assert coarse.holds is None
    assert "does not resolve a value that begins at" in coarse.reason
    assert fine.holds


@pytest.mark.parametrize("name", ["central-path", "central-path-collapse"])
def test_figures_are_drawn(short, name):
    figure = drawn(short.charts)[name]

    assert len(figure.axes) == 4
    assert all(axes.get_lines() for axes in figure.axes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 1}, "classes must be a whole number of at least 2, but got 1"),
        ({"per_class": 1}, "per_class must be a whole number of at least 2"),
        ({"width": 3}, r"width must be at least classes - 1 = 4, but got 3; fewer"),
        ({"per_class": 4}, "per_class must be at least 5 for 5 classes in 20 dim"),
        ({"time": 0.0}, "time must be a number above 0, but got 0"),
        ({"time": float("nan")}, "time must be a number above 0"),
        ({"signal": -1.0}, "signal must be a number above 0, but got -1"),
        ({"signal": 1e5}, "signal must be between 0.0001 and 10000, but got 100000"),
        ({"signal": 1e-5}, "signal must be between 0.0001 and 10000, but got 1e-05"),
        ({"time": 1e18}, r"time must be at most 2.5e\+16 here, but got 1e\+18; later"),
        (
            {"time": 1e10, "renormalize": "whiten"},
            r"time must be at most 2.5e\+09 here, but got 1e\+10; later",
        ),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"points": 5}, "points must be a whole number of at least 12"),
        ({"renormalize": "often"}, "renormalize must be one of project, whiten"),
        ({"solver": "Euler"}, "solver must be one of"),
        ({"rtol": 0.0}, "rtol must be a number above 0"),
        (
            {"per_class": 200, "solver": "LSODA"},
            "solver LSODA keeps a square matrix of the state, which has 20,000 entries",
        ),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        run_central_path(**settings)


def test_five_samples_of_each_class_just_suffice():
    run = run_central_path(classes=5, per_class=5, width=20, time=10.0, points=12)

    assert run.check("unit covariance").holds


def test_a_run_that_cannot_go_on_keeps_what_it_has(monkeypatch):
    from boundkit.lab.dynamics import central_path

    whole = central_path.solve

    def brief(*given, **named):
        return whole(*given, **named, most=60)

    monkeypatch.setattr(central_path, "solve", brief)

    run = run_central_path(time=1e9)

    assert "evaluations were not enough" in run.stopped
    assert run.undefined
    assert 2 < len(run.table().column("time")) < 120
    assert run.check("closed form").holds
