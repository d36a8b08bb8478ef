from __future__ import annotations

import numpy as np

from boundkit.lab.dynamics.flow_times import probed, regular_times, slope_at


def test_times_begin_at_zero_and_have_equal_ratios():
    times = regular_times(50.0, 7)

    assert len(times) == 8
    assert times[0] == 0
    np.testing.assert_allclose(times[[1, -1]], [0.05, 50.0], rtol=1e-14)
    np.testing.assert_allclose(np.diff(np.log(times[1:])), np.log(1000) / 6, rtol=1e-10)


def test_every_inner_time_has_a_neighbor_on_either_side():
    times = regular_times(10.0, 20)
    every, places = probed(times)

    assert len(every) == 21 + 2 * 19
    assert (np.diff(every) > 0).all()
    np.testing.assert_array_equal(every[places], times)
    assert set(range(1, len(every) - 1)) - set(places.tolist()) == {
        at + side for at in places[1:-1].tolist() for side in (-1, 1)
    }


def test_slopes_of_a_parabola_are_exact():
    times = np.array([0.0, 0.5, 0.6, 2.0, 3.5])
    values = 3 * times**2 - times + 4
    found = slope_at(times, values, np.array([0, 1, 2, 3, 4]))

    assert np.isnan(found[[0, 4]]).all()
    np.testing.assert_allclose(found[1:4], 6 * times[1:4] - 1, rtol=1e-12)
