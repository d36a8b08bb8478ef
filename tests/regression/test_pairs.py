"""Pairs, their weights, and environments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from boundkit.regression.pairs import (
    environments_of,
    hoeffding_weights,
    pairs_of,
    small_sets,
)


def test_the_weight_of_a_pair_by_hand():
    # n = 10^4, |d| = 0.03: (1 - 2 exp(-4.5))^2 - 1/2.
    expected = (1 - 2 * math.exp(-4.5)) ** 2 - 0.5

    (found,) = hoeffding_weights(np.array([-0.03]), 10_000)

    assert found == pytest.approx(expected, rel=1e-12)
    assert found == pytest.approx(0.456057, abs=1e-6)  # printed digits


def test_weights_grow_with_the_difference_and_the_sample():
    differences = np.linspace(0, 0.2, 50)
    weights = hoeffding_weights(differences, 1000)

    assert (np.diff(weights) >= 0).all()
    assert (hoeffding_weights(differences, 4000) >= weights).all()
    assert weights[0] == 0
    assert weights[-1] <= 0.5


def test_the_weight_less_a_half_is_below_the_chance_that_the_order_holds():
    # Simulated: two errors of Bernoulli samples, measured on 500 each.
    rng = np.random.default_rng(0)
    low, high = rng.binomial(500, [[0.2], [0.3]], (2, 20_000)) / 500
    for d in (0.1, 0.15):
        near = np.abs((high - low) - d) < 0.005
        right = (np.abs(high - 0.3) < d / 2) & (np.abs(low - 0.2) < d / 2)

        assert right[near].mean() >= hoeffding_weights(np.array([d]), 500)[0]


def test_every_difference_is_trusted_without_a_sample_size():
    pairs = pairs_of(np.array([1.0, 1.0, 2.0]), np.zeros((3, 1), int), None)

    assert pairs.weight.tolist() == [0, 1, 1]
    assert pairs.gap.tolist() == [0, -1, -1]


def test_environments_are_pairs_of_settings_that_differ_in_one_place():
    # Two hyperparameters of two values, two seeds each: a square has four sides.
    codes = np.array([[a, b] for a in (0, 1) for b in (0, 1) for _ in range(2)])
    pairs = pairs_of(np.arange(8.0), codes, None)
    found = environments_of(pairs)

    assert sorted(one.hyperparameter for one in found) == [0, 0, 1, 1]
    assert [len(one.pairs) for one in found] == [4] * 4
    assert [one.effective for one in found] == [4.0] * 4


def test_effective_pairs_of_unequal_weights():
    # Weights 1 and 1 count twice, weights 1 and 0 once.
    pairs = pairs_of(np.array([0.0, 0.0, 1.0]), np.array([[0], [1], [1]]), None)
    (found,) = environments_of(pairs)

    assert len(found.pairs) == 2
    assert found.effective == 1


def test_no_pairs_no_environments():
    assert environments_of(pairs_of(np.arange(3.0), np.zeros((3, 1), int), 9)) == ()


def test_sets_of_at_most_two():
    assert small_sets(3) == [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]
