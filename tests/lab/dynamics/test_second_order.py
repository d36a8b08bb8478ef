from __future__ import annotations

import numpy as np
import pytest

from boundkit.lab.dynamics import scalar_closed as closed
from boundkit.lab.dynamics.flow_net import (
    Sample,
    fixed_norm_slopes,
    joined,
    random_directions,
    split,
)
from boundkit.lab.dynamics.second_order import (
    descended,
    first_order_track,
    second_order_track,
    step_counts,
)
from boundkit.lab.dynamics.solving import solve


def sample_of():
    generator = np.random.default_rng(5)
    signs = np.where(np.arange(10) % 2, 1.0, -1.0)
    inputs = generator.standard_normal((10, 4)) + signs[:, None]
    inputs /= np.linalg.norm(inputs, axis=1)[:, None]
    return Sample("made", inputs, signs, 0.3)


ALONE = Sample("alone", np.array([[1.0]]), np.array([1.0]))
ONE = (np.array([[1.0]]),)


def test_one_margin_of_one_is_the_oscillator():
    """One weight that is its own direction: rho alone moves, with mu = M = 1."""
    times = np.linspace(0.0, 10.0, 30)
    track = second_order_track(0.2, ONE, ALONE, 0.5, 0.7, times)

    assert track.stopped is None
    np.testing.assert_allclose(
        track.states[:, 0],
        closed.oscillator(times, 0.2, 1.0, 1.5, 0.7),
        rtol=0,
        atol=1e-6,
    )
    np.testing.assert_allclose(track.states[:, 1], 1.0, rtol=1e-12)


def test_one_margin_of_one_descends_by_powers():
    counts = np.arange(9)
    track = descended(0.2, ONE, ALONE, 0.5, 0.3, counts)

    np.testing.assert_allclose(
        track.states[:, 0], closed.descent(counts, 0.2, 1.0, 1.5, 0.3), rtol=1e-13
    )
    assert track.times.tolist() == pytest.approx((counts * 0.3).tolist(), rel=1e-15)
    assert track.rising == 0


def test_steps_that_diverge_end_and_are_kept():
    track = descended(0.2, ONE, ALONE, 0.5, 1.0, np.arange(1000))

    assert track.stopped is not None
    assert track.stopped.startswith("gradient descent with rate 1 diverged at step")
    assert 5 < len(track.states) < 40
    assert np.isfinite(track.states).all()
    assert track.rising == 1


def test_the_completed_equation_keeps_unit_norms_and_the_printed_one_does_not():
    """(21) as printed lets norms grow as descent without normalization does."""
    sample, rate = sample_of(), 0.2
    layers, _ = random_directions((4,), sample, 0)
    shapes = [layer.shape for layer in layers]
    times = np.arange(11) * rate
    kept = second_order_track(0.5, layers, sample, 0.01, rate, times)
    half = 1 + sum(layer.size for layer in layers)

    def printed(_, state):
        place, speed = state[:half], state[half:]
        flow = fixed_norm_slopes(place[0], split(place[1:], shapes), sample, 0.01)
        force = np.append(flow.rho, joined(flow.layers))
        return np.append(speed, (2 / rate) * (force - speed))

    begin = fixed_norm_slopes(0.5, layers, sample, 0.01)
    pushed = np.append(begin.rho, joined(begin.layers))
    start = np.concatenate([[0.5], joined(layers), pushed])
    found = solve(printed, start, times, rtol=1e-8, atol=1e-11)
    rho, parts, grown = 0.5, list(layers), [1.0]
    for _ in range(10):
        flow = fixed_norm_slopes(rho, parts, sample, 0.01)
        rho += rate * flow.rho
        parts = [v + rate * d for v, d in zip(parts, flow.layers, strict=True)]
        grown.append(np.linalg.norm(parts[0]))
    drifted = [np.linalg.norm(split(row[1:half], shapes)[0]) for row in found.rows]

    assert kept.norm_error < 1e-7
    assert grown[-1] > 1.001
    # Equal to first order in the rate.
    assert drifted[-1] - 1 == pytest.approx(grown[-1] - 1, rel=0.3)


def test_descent_is_followed_to_second_order():
    sample = sample_of()
    layers, _ = random_directions((4,), sample, 0)
    gaps = {"flow": [], "second": []}
    for rate in (0.2, 0.1):
        counts = np.arange(0, round(4 / rate) + 1)
        times = counts * rate
        descent = descended(0.5, layers, sample, 0.01, rate, counts)
        flow = first_order_track(0.5, layers, sample, 0.01, times)
        second = second_order_track(0.5, layers, sample, 0.01, rate, times)
        for name, track in (("flow", flow), ("second", second)):
            away = np.linalg.norm(track.states - descent.states, axis=1)
            gaps[name].append(away.max())
    orders = {name: np.log2(far / near) for name, (far, near) in gaps.items()}

    # Leading orders at finite rates.
    assert orders["flow"] == pytest.approx(1, abs=0.2)
    assert orders["second"] == pytest.approx(2, abs=0.35)
    assert gaps["second"][0] < 0.2 * gaps["flow"][0]


def test_counts_of_steps_begin_at_zero_and_end_at_the_end():
    counts = step_counts(10.0, 0.01, 30)

    assert counts[0] == 0
    assert counts[-1] == 1000
    assert (np.diff(counts) > 0).all()
    assert step_counts(1.0, 1.0, 30).tolist() == [0, 1]
