from __future__ import annotations

import numpy as np
import pytest

from boundkit.lab.dynamics import scalar_closed as closed

TIMES = np.linspace(0.0, 30.0, 200)
MEAN, STIFFNESS, RHO = 0.25, 0.085, 0.3


def differences(values, times):
    return np.gradient(values, times, edge_order=2)


def test_relaxation_solves_its_equation():
    rho = closed.relaxation(TIMES, RHO, MEAN, STIFFNESS)
    slope = 2 * (MEAN - STIFFNESS * rho)

    assert rho[0] == pytest.approx(RHO, rel=1e-14)
    # Second-order differences on 200 points.
    np.testing.assert_allclose(differences(rho, TIMES), slope, rtol=0, atol=2e-4)


def test_logistic_is_the_free_flow_of_two_layers():
    rho = closed.logistic(TIMES, RHO, MEAN, STIFFNESS)
    slope = closed.free_slope(rho, MEAN, STIFFNESS, 2)

    assert rho[0] == pytest.approx(RHO, rel=1e-15)
    # Second-order differences on 200 points.
    np.testing.assert_allclose(differences(rho, TIMES), slope, rtol=0, atol=5e-3)


def test_one_free_layer_moves_as_the_flow_of_unit_norms():
    rho = np.array([0.1, 2.0, 9.0])

    np.testing.assert_allclose(
        closed.free_slope(rho, MEAN, STIFFNESS, 1),
        2 * (MEAN - STIFFNESS * rho),
        rtol=1e-14,
    )


@pytest.mark.parametrize("depth", [1, 2])
def test_arrival_by_quadrature_is_that_of_the_closed_forms(depth):
    form = (closed.relaxation, closed.logistic)[depth - 1]
    end = float(form(np.array([4.0]), RHO, MEAN, STIFFNESS)[0])

    assert closed.arrival(RHO, end, MEAN, STIFFNESS, depth) == pytest.approx(
        4.0, rel=1e-9
    )


def test_arrival_adds_up():
    whole = closed.arrival(0.2, 2.0, MEAN, STIFFNESS, 4)
    parts = closed.arrival(0.2, 0.9, MEAN, STIFFNESS, 4) + closed.arrival(
        0.9, 2.0, MEAN, STIFFNESS, 4
    )

    assert whole == pytest.approx(parts, rel=1e-9)


@pytest.mark.parametrize("rate", [0.5, 1 / (4 * STIFFNESS), 6.0, 20.0])
def test_the_oscillator_solves_its_equation(rate):
    times = np.linspace(0.0, 30.0, 6001)
    rho = closed.oscillator(times, RHO, MEAN, STIFFNESS, rate)
    speed = differences(rho, times)
    left = rate / 2 * differences(speed, times) + speed

    assert rho[0] == pytest.approx(RHO, rel=1e-12)
    assert speed[0] == pytest.approx(2 * (MEAN - STIFFNESS * RHO), rel=1e-3)
    # Differences of differences; the ends are one-sided.
    np.testing.assert_allclose(
        left[3:-3], 2 * (MEAN - STIFFNESS * rho)[3:-3], rtol=0, atol=1e-4
    )


def test_the_oscillator_turns_iff_four_eta_a_is_above_one():
    rest = MEAN / STIFFNESS
    times = np.linspace(0.0, 200.0, 4001)

    for product, turns in ((0.9, False), (1.3, True)):
        rate = product / (4 * STIFFNESS)
        gaps = closed.oscillator(times, RHO, MEAN, STIFFNESS, rate) - rest
        assert bool((gaps > 0).any()) is turns
        assert (closed.turning_rate(STIFFNESS, rate) is not None) is turns


def test_the_frequency_by_hand():
    # A = 1, eta = 1/2: (1/4) x'' + x' + 2 x, roots -2 +- 2 i.
    assert closed.turning_rate(1.0, 0.5) == pytest.approx(2.0, rel=1e-15)


def test_descent_step_by_step():
    rho, found = RHO, []
    for _ in range(12):
        found.append(rho)
        rho += 3.0 * 2 * (MEAN - STIFFNESS * rho)

    np.testing.assert_allclose(
        closed.descent(np.arange(12), RHO, MEAN, STIFFNESS, 3.0), found, rtol=1e-13
    )


def test_descent_that_overflows_is_infinite():
    assert np.isinf(closed.descent(np.array([10**6]), RHO, MEAN, STIFFNESS, 30.0))[0]


def test_small_rates_make_all_models_one():
    counts = np.arange(0, 3001, 500)
    rate = 1e-3
    flow = closed.relaxation(counts * rate, RHO, MEAN, STIFFNESS)

    for model, order in (
        (closed.descent(counts, RHO, MEAN, STIFFNESS, rate), 1),
        (closed.oscillator(counts * rate, RHO, MEAN, STIFFNESS, rate), 1),
    ):
        np.testing.assert_allclose(model, flow, rtol=0, atol=rate**order)
    # The second-order flow is nearer to descent by another power of the rate.
    np.testing.assert_allclose(
        closed.descent(counts, RHO, MEAN, STIFFNESS, rate),
        closed.oscillator(counts * rate, RHO, MEAN, STIFFNESS, rate),
        rtol=0,
        atol=rate**2,
    )
