"""Descent and flow of the layer-peeled model, one against the other."""

import numpy as np
from numpy.testing import assert_allclose

from boundkit.lab.dynamics.layer_peeled_paths import Model, random_point
from boundkit.lab.dynamics.layer_peeled_rows import Start
from boundkit.lab.dynamics.layer_peeled_walks import Walk

SHAPE = Model(3, 2, 4, "sum")


def walk(points=20, scale=0.5, model=SHAPE):
    begin = random_point(model, scale, 0)
    return Walk(model, begin, Start.of(begin, None), points)


def test_small_steps_end_where_the_flow_does():
    flowed, _ = walk().flow(10.0, "DOP853", 1e-10, 1e-12, None)
    stepped, _ = walk().descend(1e-3, 10_000, None)

    for name in ("loss", "margin_efficiency", "radius", "nc1_distance"):
        # Euler's error falls with the rate.
        assert_allclose(stepped.named[name][-1], flowed.named[name][-1], rtol=2e-3)


def test_a_tenth_of_the_rate_comes_ten_times_nearer():
    flowed, _ = walk().flow(10.0, "DOP853", 1e-11, 1e-13, None)
    far, near = (
        abs(
            walk().descend(rate, steps, None)[0].named["loss"][-1]
            - flowed.named["loss"][-1]
        )
        for rate, steps in ((1e-2, 1000), (1e-3, 10_000))
    )

    assert 7 < far / near < 13


def test_averaging_slows_the_flow_by_the_number_of_samples():
    mean = Model(3, 2, 4, "mean")
    slow, _ = walk(model=mean).flow(60.0, "DOP853", 1e-10, 1e-12, None)
    fast, _ = walk().flow(10.0, "DOP853", 1e-10, 1e-12, None)

    assert_allclose(slow.named["loss"][-1], fast.named["loss"][-1], rtol=1e-7)


def test_the_flow_does_not_care_for_the_solver():
    first, _ = walk().flow(1e6, "DOP853", 1e-9, 1e-11, None)

    for solver in ("RK45", "LSODA", "Radau"):
        other, _ = walk().flow(1e6, solver, 1e-9, 1e-11, None)
        assert_allclose(
            other.named["log10_loss"], first.named["log10_loss"], rtol=1e-6, atol=1e-8
        )


def test_a_flow_far_beyond_floats_of_loss_stays_defined():
    found, stopped = walk().flow(1e300, "DOP853", 1e-9, 1e-12, None)

    assert stopped is None
    assert_allclose(found.named["log10_loss"][-1], -300, atol=5)
    assert found.named["margin_efficiency"][-1] > 0.98


def test_times_and_steps_begin_at_zero_and_end_where_they_should():
    flowed, _ = walk().flow(1e4, "DOP853", 1e-9, 1e-12, None)
    stepped, _ = walk().descend(0.1, 100, None)

    assert flowed.ticks[0] == stepped.ticks[0] == 0
    assert_allclose(flowed.ticks[-1], 1e4, rtol=1e-9)
    assert len(flowed.ticks) == 20
    assert stepped.ticks[-1] == 100
    assert np.all(np.diff(flowed.ticks) > 0)


def test_divergence_is_told_and_its_rows_kept():
    found, stopped = walk().descend(1e3, 100_000, None)

    assert "diverge at learning rate 1000; choose a smaller one" in stopped
    assert len(found.ticks) < 20
    assert np.isfinite(found.named["loss"]).all()
