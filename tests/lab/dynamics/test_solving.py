from __future__ import annotations

import numpy as np
import pytest

from boundkit.errors import UsageError
from boundkit.lab.dynamics.solving import SOLVERS, solve

TIMES = np.linspace(0.0, 2.0, 9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_follows_a_decay(solver):
    found = solve(
        lambda _, y: -y,
        np.array([1.0, 2.0]),
        TIMES,
        solver=solver,
        rtol=1e-8,
        atol=1e-10,
    )

    expected = np.exp(-TIMES)[:, None] * [1.0, 2.0]
    assert found.stopped is None
    # The tolerance is of a step; errors of steps add up.
    np.testing.assert_allclose(found.rows, expected, rtol=1e-5, atol=0)
    np.testing.assert_array_equal(found.times, TIMES)
    np.testing.assert_allclose(found.end, expected[-1], rtol=1e-5, atol=0)


def test_a_finer_tolerance_is_nearer():
    def error(rtol):
        found = solve(lambda _, y: -y, np.ones(1), TIMES, rtol=rtol, atol=1e-14)
        return abs(found.rows[-1, 0] - np.exp(-2.0))

    assert error(1e-9) < 0.01 * error(1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_blow_up_ends_early_and_keeps_what_was_reached(solver):
    # y' = y^2 from 1 is 1/(1 - t).
    found = solve(lambda _, y: y * y, np.ones(1), TIMES, solver=solver, most=20_000)

    assert found.stopped is not None
    assert float(found.stopped.split()[2].rstrip(":")) == pytest.approx(1, rel=1e-2)
    assert 3 <= len(found.times) <= 5
    before = found.times < 0.9
    np.testing.assert_allclose(
        found.rows[before, 0],
        1 / (1 - found.times[before]),
        rtol=1e-3,  # of solvers at their default tolerance
        atol=0,
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_slope_that_is_no_number_at_the_start_is_told(solver):
    found = solve(lambda _, y: y * np.nan, np.ones(1), TIMES, solver=solver)

    assert found.stopped == "at time 0: the slope at the start is not finite"
    assert len(found.rows) == 1


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_slope_that_becomes_no_number_ends_early(solver):
    found = solve(
        lambda t, y: y if t < 1 else y * np.nan,
        np.ones(1),
        TIMES,
        solver=solver,
        most=20_000,
    )

    assert found.stopped is not None
    assert np.isfinite(found.rows).all()
    assert found.times[-1] <= 1.0


def test_evaluations_are_limited():
    found = solve(lambda _, y: -1e6 * y, np.ones(1), TIMES, solver="RK45", most=500)

    assert "500 evaluations were not enough" in str(found.stopped)
    assert found.evaluations < 520


def test_one_time_needs_no_step():
    found = solve(lambda _, y: y, np.ones(2), np.zeros(1))

    assert found.rows.tolist() == [[1.0, 1.0]]
    assert found.stopped is None


def test_what_is_watched_is_kept_and_progress_told():
    told = []
    found = solve(
        lambda _, y: -y,
        np.ones(3),
        TIMES,
        watch=lambda t, y: np.array([t, y.sum()]),
        progress=lambda *about: told.append(about),
        what="decay",
    )

    assert found.rows.shape == (9, 2)
    np.testing.assert_array_equal(found.rows[:, 0], TIMES)
    assert told[-1] == (9, 9, "decay")


def test_the_start_is_not_changed():
    start = np.ones(2)
    solve(lambda _, y: -y, start, TIMES)

    assert start.tolist() == [1.0, 1.0]


def test_settings_out_of_range_are_refused():
    with pytest.raises(UsageError, match="solver must be one of RK45, DOP853"):
        solve(lambda _, y: y, np.ones(1), TIMES, solver="Euler")
    with pytest.raises(
        UsageError, match=r"rtol must be at least 2\.2e-14, which is what"
    ):
        solve(lambda _, y: y, np.ones(1), TIMES, rtol=1e-15)
    with pytest.raises(UsageError, match="rtol must be a number above 0, but got 0"):
        solve(lambda _, y: y, np.ones(1), TIMES, rtol=0.0)
    with pytest.raises(UsageError, match="atol must be a number above 0, but got -1"):
        solve(lambda _, y: y, np.ones(1), TIMES, atol=-1.0)
