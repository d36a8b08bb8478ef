"""Permutation p-values: counted by hand, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from boundkit.regression.permutations import orders, p_of_pairs, p_of_products


@pytest.mark.parametrize("n", [3, 4, 5])
def test_a_monotone_sample_is_one_of_two_orders(n):
    x = np.arange(float(n))
    every = orders(n, 10, 0)
    count = len(every)

    assert p_of_products(x, x, every) == pytest.approx(2 / count, rel=1e-12)
    assert p_of_pairs(x, -x, every) == pytest.approx(2 / count, rel=1e-12)


@pytest.mark.parametrize("n", [3, 6, 8])
def test_all_orders_up_to_eight_points(n):
    every = orders(n, 10, 0)

    assert len(every) == len({tuple(row) for row in every.tolist()})
    assert len(every) == np.prod(np.arange(1, n + 1))


def test_drawn_orders_hold_the_given_one():
    every = orders(9, 500, 0)

    assert every.shape == (501, 9)
    assert every[0].tolist() == list(range(9))
    assert (np.sort(every, axis=1) == np.arange(9)).all()


def test_many_points_are_given_fewer_orders():
    assert len(orders(4000, 9999, 0)) == 1000


def test_kendall_is_scipys_exact_test():
    rng = np.random.default_rng(0)
    for n in (5, 7, 8):
        x, y = rng.normal(size=(2, n))
        expected = stats.kendalltau(x, y, method="exact").pvalue

        assert p_of_pairs(x, y, orders(n, 1, 0)) == pytest.approx(expected, rel=1e-9)


def test_correlation_is_scipys_permutation_test():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 6))
    expected = stats.permutation_test(
        (x,),
        lambda a: abs(stats.pearsonr(a, y).statistic),
        permutation_type="pairings",
        alternative="greater",
        n_resamples=np.inf,
    ).pvalue

    found = p_of_products(x, y, orders(6, 1, 0))

    assert found == pytest.approx(expected, rel=1e-9)


def test_values_of_any_size_give_the_same_p():
    x, y = np.array([1.0, 2, 3, 9]), np.array([2.0, 1, 5, 4])
    every = orders(4, 1, 0)

    assert p_of_products(1e300 * x, 1e-300 * y, every) == p_of_products(x, y, every)
