"""The grid of ratios: rounded up, and paid for once."""

import math

import numpy as np
import pytest

from boundkit.certify.ratio_grid import OFF, PER_OCTAVE, grid_cost, rounded_up


@pytest.mark.parametrize("per_octave", PER_OCTAVE)
@pytest.mark.parametrize("ratio", [0.01, 0.125, 0.126, 0.5, 1.0, 7.3, 1e9])
def test_ratios_are_rounded_up_to_the_next_point(ratio, per_octave):
    value, k = rounded_up(math.log(ratio), per_octave)
    point = 0.125 * 2 ** (k / per_octave)

    np.testing.assert_allclose(math.exp(value), point, rtol=1e-12)
    assert value >= math.log(ratio) - 1e-12
    assert k == 0 or value - math.log(2) / per_octave < math.log(ratio)


@pytest.mark.parametrize("ratio", [0.0, 1e-9, OFF])
def test_small_ratios_share_one_point(ratio):
    log_ratio = math.log(ratio) if ratio else -math.inf

    assert rounded_up(log_ratio, 4) == (math.log(OFF), -1)


@pytest.mark.parametrize("per_octave", PER_OCTAVE)
def test_shares_of_delta_sum_to_one(per_octave):
    shares = [math.exp(-grid_cost([k], per_octave)) for k in range(-1, 20000)]
    below_one = sum(shares[1 : 1 + 3 * per_octave])
    rest = 3 * per_octave / (2 * (19999 + 1 + 3 * per_octave))

    assert shares[0] == pytest.approx(0.5, rel=1e-12)
    np.testing.assert_allclose(sum(shares), 1 - rest, rtol=1e-9)
    np.testing.assert_allclose(below_one, 0.25, rtol=1e-9)


def test_costs_of_several_ratios_add_up_and_grow():
    both = grid_cost([3, -1], 2)

    np.testing.assert_allclose(both, grid_cost([3], 2) + math.log(2), rtol=1e-12)
    costs = [grid_cost([k], 2) for k in range(-1, 40)]
    assert costs == sorted(costs)
