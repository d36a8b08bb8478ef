"""Jitter of weights and margins, and rank correlation: by hand and by scipy."""

import copy
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from boundkit.errors import UsageError
from boundkit.measure.noise.jitter import (
    margin_jitter,
    moved,
    rank_correlation,
    weight_jitter,
)
from tests.measure.noise.nets import mlp, stored


def test_a_weight_turned_by_an_angle_moves_by_its_chord():
    turned = 3 * np.array([[math.cos(0.4), math.sin(0.4)]])

    np.testing.assert_allclose(
        moved(np.array([[2.0, 0.0]]), turned), 2 * math.sin(0.2), rtol=1e-14
    )


@pytest.mark.parametrize("factor", [1e-300, 1.0, 1e300])
def test_the_norm_does_not_matter(factor):
    weight = np.array([[0.3, -0.2], [0.1, 0.9]])

    np.testing.assert_allclose(moved(weight, factor * weight), 0, atol=1e-15)


@pytest.mark.parametrize("weight", [np.zeros((1, 2)), np.full((1, 2), np.nan)])
def test_a_weight_without_a_direction_has_no_jitter(weight):
    assert math.isnan(moved(weight, np.ones((1, 2))))


def test_jitter_is_taken_from_each_checkpoint_to_the_next():
    run = [mlp(3, 2, 1)]
    for _ in range(2):
        run.append(copy.deepcopy(run[-1]))
        with torch.no_grad():
            run[-1][0].weight.add_(0.5)
    found = weight_jitter([stored(net) for net in run])
    units = [net[0].weight.detach() / net[0].weight.detach().norm() for net in run]

    assert found["2.weight"] == (0.0, 0.0)
    np.testing.assert_allclose(
        found["0.weight"],
        [float((b - a).norm()) for a, b in pairwise(units)],
        rtol=1e-12,
    )


def test_one_checkpoint_has_no_jitter():
    with pytest.raises(UsageError, match="at least two checkpoints, but got 1"):
        weight_jitter([stored(mlp(3, 1))])


@pytest.mark.parametrize(
    ("other", "has"), [(mlp(4, 1), r"shape \(1, 4\)"), (mlp(3, 2, 1)[2:], "nothing")]
)
def test_another_network_is_no_checkpoint_of_the_run(other, has):
    with pytest.raises(UsageError, match=rf"must hold '0.weight'.*but has {has}"):
        weight_jitter([stored(other), stored(mlp(3, 1))])


def test_margins_jitter_by_their_standard_deviation_over_checkpoints():
    margins = [np.array([1.0, 2.0]), np.array([3.0, 2.0])]

    assert margin_jitter(margins) == (1.0, 0.5)


@pytest.mark.parametrize("margins", [[np.ones(2)], [np.ones(2), np.ones(3)]])
def test_margins_of_other_samples_are_refused(margins):
    with pytest.raises(UsageError, match="margin jitter needs the same samples"):
        margin_jitter(margins)


def test_margins_of_zero_have_no_relative_jitter():
    spread, relative = margin_jitter([np.zeros(2), np.zeros(2)])

    assert spread == 0
    assert math.isnan(relative)


@pytest.mark.parametrize("seed", range(3))
def test_the_correlation_is_scipys_also_with_ties(seed):
    one, two = np.random.default_rng(seed).integers(0, 5, (2, 9)).astype(float)

    np.testing.assert_allclose(
        rank_correlation(one, two), spearmanr(one, two).statistic, rtol=1e-12
    )


def test_layers_without_a_number_are_left_out():
    assert rank_correlation([1, 2, math.nan, 3], [1, 2, 0, 3]) == 1


@pytest.mark.parametrize("pair", [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3])])
def test_two_layers_or_equal_ones_do_not_correlate(pair):
    assert math.isnan(rank_correlation(*pair))
