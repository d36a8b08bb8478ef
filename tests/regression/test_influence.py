"""Leaving one out, against leaving one out."""

from __future__ import annotations

import numpy as np

from boundkit.regression.influence import influence_of


def test_statsmodels_agrees():
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    x, y = rng.normal(5, 1, 12), rng.normal(size=12)
    fitted = sm.OLS(y, sm.add_constant(x)).fit()
    expected = fitted.get_influence()
    found = influence_of(x, y)

    np.testing.assert_allclose(found.leverage, expected.hat_matrix_diag, rtol=1e-9)
    np.testing.assert_allclose(found.cooks, expected.cooks_distance[0], rtol=1e-8)
    np.testing.assert_allclose(
        found.studentized, expected.resid_studentized_external, rtol=1e-8
    )
    for i in range(12):
        others = np.arange(12) != i
        again = sm.OLS(y[others], sm.add_constant(x[others])).fit()

        np.testing.assert_allclose(found.slope_without[i], again.params[1], rtol=1e-8)
        np.testing.assert_allclose(found.r2_without[i], again.rsquared, rtol=1e-7)


def test_a_point_that_decides_alone_leaves_no_line():
    found = influence_of(np.array([1.0, 1, 1, 2]), np.array([1.0, 2, 5, 1]))

    assert np.isnan(found.slope_without).tolist() == [False, False, False, True]
    assert np.isnan([found.cooks[3], found.r2_without[3], found.studentized[3]]).all()
    np.testing.assert_allclose(found.leverage[3], 1, rtol=1e-12)


def test_leverages_sum_up_to_two():
    x = np.random.default_rng(1).normal(size=9)

    np.testing.assert_allclose(influence_of(x, x**2).leverage.sum(), 2, rtol=1e-12)
