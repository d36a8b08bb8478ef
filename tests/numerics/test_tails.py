"""The Clopper-Pearson limit against closed forms and exact coverage."""

import numpy as np
import pytest
from scipy.stats import binom

from boundkit.numerics.tails import clopper_pearson


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_no_errors_in_closed_form(n):
    np.testing.assert_allclose(
        clopper_pearson(0, n, 0.05), 1 - 0.05 ** (1 / n), rtol=1e-10
    )


def test_nothing_but_errors_says_nothing():
    assert clopper_pearson(7, 7, 0.05) == 1


def test_the_limit_is_where_so_few_errors_have_chance_delta():
    limit = clopper_pearson(31, 2000, 0.05)

    np.testing.assert_allclose(binom.cdf(31, 2000, limit), 0.05, rtol=1e-9)


@pytest.mark.parametrize("delta", [0.05, 0.3])
@pytest.mark.parametrize("n", [5, 40])
def test_coverage_is_exact_or_better_for_every_error_probability(n, delta):
    limits = np.array([clopper_pearson(k, n, delta) for k in range(n + 1)])
    for p in np.linspace(0.001, 0.999, 200):
        covered = binom.pmf(np.arange(n + 1), n, p) @ (limits >= p)

        assert covered >= 1 - delta - 1e-12


def test_more_errors_or_less_data_raise_the_limit():
    assert clopper_pearson(3, 100, 0.05) < clopper_pearson(4, 100, 0.05)
    assert clopper_pearson(6, 200, 0.05) < clopper_pearson(3, 100, 0.05)
    assert clopper_pearson(3, 100, 0.1) < clopper_pearson(3, 100, 0.05)
