from __future__ import annotations

import numpy as np
import pytest

from boundkit.errors import UsageError
from boundkit.lab.dynamics.flow_descent import compared
from boundkit.lab.dynamics.flow_net import Sample, random_directions


def sample_of():
    generator = np.random.default_rng(5)
    signs = np.where(np.arange(10) % 2, 1.0, -1.0)
    inputs = generator.standard_normal((10, 4)) + signs[:, None]
    inputs /= np.linalg.norm(inputs, axis=1)[:, None]
    return Sample("made", inputs, signs, 0.3)


def comparison(rate, end=4.0):
    sample = sample_of()
    layers, _ = random_directions((4,), sample, 0)
    return compared(0.5, layers, sample, 0.01, rate, end, 20, None)


def test_orders_are_those_of_the_modified_equation():
    found = comparison(0.1)
    states = {check.name: check.holds for check in found.checks}

    assert found.stopped is None
    assert list(states.values()) == [True] * 5
    assert found.table.column("flow_distance")[0] == 0
    assert found.table.column("rho_descent")[0] == 0.5


def test_a_rate_that_diverges_is_told_and_its_steps_kept():
    sample = Sample("alone", np.array([[1.0]]), np.array([1.0]))
    found = compared(0.2, (np.array([[1.0]]),), sample, 0.5, 1.0, 60.0, 20, None)

    assert str(found.stopped).startswith("gradient descent with rate 1 diverged at")
    assert np.isfinite(found.table.column("rho_descent")[:5]).all()
    assert found.checks[-1].holds is None
    assert "diverged" in found.checks[-1].reason


def test_a_rate_that_oscillates_leaves_the_order_open():
    sample = Sample("alone", np.array([[1.0]]), np.array([1.0]))
    # 2 eta A = 1.95 overshoots, at half of it no more; the loss falls all the same.
    rate = 1.95 / 3
    found = compared(0.2, (np.array([[1.0]]),), sample, 0.5, rate, 20.0, 20, None)

    assert found.stopped is None
    assert found.checks[1].found == 0


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (5.0, "rate must be at most the time 4, so that there is a step, but got 5.0"),
        (1e-6, "rate 1e-06 takes 12,000,000 steps to time 4 and back at half the rate"),
    ],
)
def test_rates_that_make_no_sense(rate, message):
    with pytest.raises(UsageError, match=message):
        comparison(rate)
