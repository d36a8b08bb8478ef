"""The flow: its closed form inverted, recovered where it holds, refused where it cannot."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from boundkit.errors import NotApplicable
from boundkit.measure.collapse.central_path import clock, moved
from boundkit.tracing.dynamics import fitted_flow, flow_clock, flowed
from boundkit.tracing.points import Signal
from tests.tracing.runs import point

CLASSES, PER_CLASS = 4, 80.0
STARTS = (4.0, 1.5, 0.5)


def run(rows, places=None, **changes):
    """Return checkpoints with these values, (T, J)."""
    known = {"infinite": 0, "classes": CLASSES, "per_class": PER_CLASS} | changes
    places = range(len(rows)) if places is None else places
    return [
        point(f"{at}.pt", at=float(at), signal=Signal(tuple(row), **known))
        for at, row in zip(places, rows, strict=True)
    ]


def flow(times):
    return [[moved(w, t, CLASSES, PER_CLASS) for w in STARTS] for t in times]


def test_the_clock_is_that_of_the_collapse_measures():
    values = np.array([0.3, 1.0, 2.5, 40.0])
    expected = [clock(w, CLASSES, PER_CLASS) / PER_CLASS for w in values]

    np.testing.assert_allclose(
        flow_clock(values, CLASSES), expected, rtol=1e-13, atol=0
    )


def test_the_clock_grows_as_time_does_along_the_flow():
    values = np.array([0.7, 2.0])

    def speed(_, w):
        return w / (PER_CLASS * (CLASSES + w**2) ** 2)

    solved = solve_ivp(speed, (0, 3000), values, rtol=1e-11, atol=1e-13).y[:, -1]
    grown = PER_CLASS * (flow_clock(solved, CLASSES) - flow_clock(values, CLASSES))

    # The tolerance is that of the integrator.
    np.testing.assert_allclose(grown, 3000, rtol=1e-8, atol=0)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_values_come_back_from_their_clocks(classes):
    values = np.array([1e-9, 0.01, 0.5, 1.0, 3.0, 100.0, 1e12])

    back = flowed(flow_clock(values, classes), classes)

    np.testing.assert_allclose(back, values, rtol=1e-11, atol=0)


def test_a_run_that_follows_the_law_is_fitted_exactly():
    times = np.array([0.0, 1e3, 5e3, 2e4, 1e5])

    found = fitted_flow(run(flow(times), 3 + times / 500), None)

    assert found.rate == pytest.approx(500, rel=1e-9)
    assert found.residual_by_place < 1e-10
    assert found.residual_free < 1e-10
    assert found.r2_by_place == pytest.approx(1, rel=1e-12)
    expected = [clock(w, CLASSES, PER_CLASS) - 1500 for w in STARTS]
    np.testing.assert_allclose(found.offsets, expected, rtol=1e-8, atol=0)
    assert found.constants == (80 * 16, 80 * 4, 20)


def test_time_that_passes_unevenly_is_found_with_a_free_time():
    times = np.array([0.0, 1e3, 5e3, 2e4, 1e5])

    found = fitted_flow(run(flow(times)), None)

    assert found.residual_by_place > 0.1
    assert found.residual_free < 1e-10
    np.testing.assert_allclose(found.times, times, rtol=1e-8, atol=1e-8)


def test_noise_is_what_is_left_over():
    random = np.random.default_rng(0)
    times = np.linspace(0, 1e5, 40)
    rows = np.array(flow(times)) * np.exp(0.05 * random.standard_normal((40, 3)))

    found = fitted_flow(run(rows, times / 1e3), None)

    # 120 numbers and 4 parameters: the noise comes back within three standard errors.
    assert found.residual_by_place == pytest.approx(0.05, rel=0.2)
    assert found.rate == pytest.approx(1e3, rel=0.1)


def test_values_against_the_law_are_told_by_the_residual():
    rows = [[4.0, 1.0], [6.0, 0.5], [9.0, 0.25], [13.0, 0.12]]

    found = fitted_flow(run(rows), None)

    assert found.residual_free > 0.2
    assert found.r2_free < 0.9


def test_only_the_terminal_phase_is_fitted_where_it_is_long_enough():
    rows = flow([0, 1e3, 2e3, 3e3, 4e3])

    late, early = fitted_flow(run(rows), 2.0), fitted_flow(run(rows), 3.0)

    assert (late.terminal, late.places.tolist()) == (True, [2, 3, 4])
    assert (early.terminal, early.places.tolist()) == (False, [0, 1, 2, 3, 4])


def test_many_values_and_checkpoints_are_thinned_out_evenly():
    rows = [
        [moved(1 + j / 9, 9.0 * i, 61, 5.0) for j in range(60, 0, -1)]
        for i in range(120)
    ]

    found = fitted_flow(run(rows, classes=61, per_class=5.0), None)

    assert found.measured.shape == (100, 40)
    assert (found.ranks[0], found.ranks[-1]) == (1, 60)
    assert found.residual_by_place < 1e-9


@pytest.mark.parametrize(
    ("course", "message"),
    [
        ([point("a", at=0.0)], "needs features of the training sample"),
        (run([[1.0], [2.0]]), "needs 3 checkpoints, but there are 2"),
        (run([[1.0], [2.0], [3.0]], per_class=None), "equally many samples"),
        (run([[1.0], [2.0], [3.0]], infinite=1), "values at 0 are infinite"),
        (run([[1.0], [0.0], [3.0]]), "a value of 0 stays there"),
        (run([[], [], []]), "a value of 0 stays there"),
    ],
)
def test_where_the_law_says_nothing_the_reason_is_said(course, message):
    with pytest.raises(NotApplicable, match=message):
        fitted_flow(course, None)
