"""The bootstrap by counts against a loop over statsmodels, on the same resamples."""

from __future__ import annotations

import numpy as np
import pytest

from boundkit.regression.resampling import (
    _drawn,
    bootstrap,
    percentile_interval,
    resampled_coefficients,
)


def sample(n=60, columns=4, seed=0):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, columns - 1))])
    return design, design @ rng.normal(size=columns) + rng.normal(size=n)


def test_coefficients_are_those_of_statsmodels_on_the_same_resamples():
    import statsmodels.api as sm

    design, response = sample()
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 60, (50, 60))
    counts = np.stack([np.bincount(r, minlength=60) for r in rows]).astype(float)
    expected = [sm.OLS(response[r], design[r]).fit().params for r in rows]

    found = resampled_coefficients(design, response, counts)

    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_an_ill_conditioned_design_is_solved_as_well():
    design, response = sample(columns=3)
    design[:, 2] = design[:, 1] + 1e-5 * design[:, 2]
    counts = np.ones((1, 60))
    expected = np.linalg.lstsq(design, response, rcond=None)[0]

    # The condition number is 1e5, so ten digits are left.
    np.testing.assert_allclose(
        resampled_coefficients(design, response, counts)[0], expected, rtol=1e-9
    )


def test_a_resample_of_one_x_has_no_line():
    design = np.column_stack([np.ones(4), [1.0, 1, 2, 3]])
    counts = np.array([[2.0, 2, 0, 0], [0, 0, 4, 0], [1, 0, 1, 2]])

    found = resampled_coefficients(design, np.array([1.0, 2, 3, 4]), counts)

    assert np.isnan(found).all(axis=1).tolist() == [True, True, False]


def test_counts_of_a_resample_sum_up_to_n():
    blocks = list(_drawn(7, 100_000, np.random.default_rng(0)))
    counts = np.concatenate(blocks)

    assert len(blocks) > 1
    assert counts.shape == (100_000, 7)
    assert (counts.sum(axis=1) == 7).all()
    # Each row is drawn n / n = 1 time on average; five standard errors.
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=5 / np.sqrt(100_000))


def test_the_seed_decides():
    design, response = sample(20, 2)

    one, again, other = (bootstrap(design, response, 300, s) for s in (3, 3, 4))

    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_the_spread_is_that_of_the_theory():
    design, response = sample(400, 2)
    found = bootstrap(design, response, 4000, 0)
    inverse = np.linalg.inv(design.T @ design)
    residual = response - design @ inverse @ design.T @ response
    middle = design.T @ (design * (residual**2)[:, None])

    # The sandwich is the bootstrap's limit; 4,000 draws know a deviation to 2 %.
    np.testing.assert_allclose(
        found.std(axis=0), np.sqrt(np.diag(inverse @ middle @ inverse)), rtol=0.1
    )


@pytest.mark.parametrize("missing", [0, 40])
def test_percentiles_leave_out_what_is_not_defined(missing):
    draws = np.concatenate([np.arange(101.0), np.full(missing, np.nan)])

    assert percentile_interval(draws, 0.9) == pytest.approx((5, 95), rel=1e-12)


def test_too_few_draws_are_no_interval():
    draws = np.array([1.0, np.nan, np.nan])

    assert np.isnan(percentile_interval(draws, 0.9)).all()
