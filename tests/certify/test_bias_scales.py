"""The scale of the constants that biases multiply: a grid that costs what it may."""

import math

import numpy as np
import pytest

from boundkit.certify.bias_scales import (
    UNBIASED,
    bias_scale,
    scaled,
    with_biases,
    worth_trying,
)
from boundkit.certify.rademacher import Complexity, log_product


def test_shares_of_delta_sum_to_one():
    shares = [math.exp(-bias_scale(k, 1.0).log_cost) for k in range(-500, 501)]

    np.testing.assert_allclose(sum(shares), 1 - 1 / 1002, rtol=1e-9)
    assert shares[500] == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("mean_paths", [0.25, 1.0, 37.0])
def test_the_grid_is_anchored_in_the_path_counts(mean_paths):
    energies = [bias_scale(k, mean_paths).energy for k in (-1, 0, 2)]

    np.testing.assert_allclose(
        energies, [mean_paths / 64, mean_paths / 16, mean_paths], rtol=1e-12
    )


def test_one_bias_by_hand():
    # sigma = 1/4, one bias with one path: 4 counts as 16, and 12 and 16 make 20.
    (found,) = scaled([4.0], [1.0], bias_scale(0, 1.0))

    assert found == 16
    np.testing.assert_allclose(log_product([12], [found]), math.log(20), rtol=1e-12)


def test_one_layer_at_scale_one():
    # A weight of 3 and a bias of 4 make 5.
    np.testing.assert_allclose(log_product([3], [4]), math.log(5), rtol=1e-12)


def test_constants_share_the_energy():
    paths, scale = [49.0, 0.0, 3.0], bias_scale(1, 1.0)
    relative = scaled([1.0, 0.0, 1.0], paths, scale)
    each = [count / r**2 for count, r in zip(paths, relative, strict=True) if r]

    np.testing.assert_allclose(each, [scale.energy / 2] * 2, rtol=1e-12)


def test_without_biases_there_is_one_form_and_no_cost():
    of = Complexity(0.0, 1.2, "", 1, 0.3, 1.0, 2)
    (found,) = with_biases(of, [2.0, 3.0], [0.0, 0.0], [0.0, 0.0], 1.0)

    assert found.log_cost == 0
    assert found.energy == 0.3
    assert found.extra == UNBIASED.terms == {}
    np.testing.assert_allclose(found.log_rho, math.log(6), rtol=1e-12)


def test_a_scale_is_tried_where_it_lowers_the_size():
    tried = worth_trying(1.0, lambda scale: abs(math.log(scale.energy / 16 * 0.99)))
    energies = [scale.energy for scale in tried]

    # Upwards to the best, 16; downwards nothing is gained.
    assert energies == [1 / 16, 1 / 4, 1, 4, 16]
    costs = [scale.log_cost for scale in tried]
    assert costs == sorted(costs)


@pytest.mark.parametrize("energy", [1e-6, 0.3, 1e8])
@pytest.mark.parametrize("bias", [0.0, 1e-3, 1.0, 1e4])
def test_no_scale_of_the_whole_grid_is_much_better(energy, bias):
    of = Complexity(0.0, 1.2, "", 1, energy, 1.0, 2)
    weights, biases, paths = [2.0, 3.0], [bias, bias], [49.0, 1.0]
    found = with_biases(of, weights, biases, paths, 1.0)
    least = min(f.log_rho + math.log(f.energy) / 2 for f in found)
    every = []
    for step in range(-24, 25):
        scale = bias_scale(step, 1.0)
        log_rho = log_product(weights, scaled(biases, paths, scale))
        every.append(log_rho + math.log(energy + scale.energy) / 2)

    # A step is left out where it gains less than 0.2 %.
    assert least - 24 * 0.002 <= min(every) <= least
