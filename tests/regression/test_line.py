"""Least squares: closed forms, the paper's own statistics, statsmodels as a reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from boundkit.regression.line import band_of, line_of

RESAMPLES = 200


def line(x, y, level=0.95):
    return line_of(np.array(x, float), np.array(y, float), level, RESAMPLES, 0)


def with_r2(n, r2, slope=-1.0):
    """Return n points whose line has exactly this R2."""
    x = np.arange(n, dtype=float)
    x -= x.mean()
    noise = x**2 - (x**2).mean()  # Orthogonal to a constant and to x.
    scale = math.sqrt(slope**2 * (x @ x) * (1 / r2 - 1) / (noise @ noise))
    return x, slope * x + scale * noise


def test_a_line_by_hand():
    # x = 0, 1, 2 and y = 1, 2, 4: slope 3/2, intercept 5/6, residuals 1/6, -1/3, 1/6.
    found = line([0, 1, 2], [1, 2, 4])

    np.testing.assert_allclose(found.slope.estimate, 1.5, rtol=1e-14)
    np.testing.assert_allclose(found.intercept.estimate, 5 / 6, rtol=1e-14)
    np.testing.assert_allclose(found.r2, 27 / 28, rtol=1e-14)
    np.testing.assert_allclose(found.residual_sd, math.sqrt(1 / 6), rtol=1e-13)
    np.testing.assert_allclose(found.slope.stderr, math.sqrt(1 / 12), rtol=1e-13)
    assert found.df == 1


@pytest.mark.parametrize(("n", "r2", "p"), [(4, 0.94, 0.031), (5, 0.004, 0.92)])
def test_statistics_printed_under_figure_5_are_consistent(n, r2, p):
    # Xu et al. (2023), figure 5: R2 = 0.94, p = 0.031 from four initializations, and
    # R2 = 0.004, p = 0.92 from five.
    found = line(*with_r2(n, r2))

    np.testing.assert_allclose(found.r2, r2, rtol=1e-10)
    # Two printed digits; R2 is printed with as few.
    np.testing.assert_allclose(found.slope.p, p, atol=0.0006)


def test_everything_agrees_with_statsmodels_on_plain_columns():
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    x = rng.normal(3, 1, 25)
    y = 2 - x + rng.normal(size=25) * (1 + np.abs(x))
    found = line(x, y, 0.9)
    fitted = sm.OLS(y, sm.add_constant(x)).fit()
    robust = fitted.get_robustcov_results("HC3", use_t=True)

    for i, mine in enumerate((found.intercept, found.slope)):
        expected = [
            *(fitted.params[i], fitted.bse[i], fitted.tvalues[i], fitted.pvalues[i]),
            *fitted.conf_int(0.1)[i],
            *(robust.bse[i], robust.pvalues[i], *robust.conf_int(0.1)[i]),
        ]
        np.testing.assert_allclose(
            [
                *(mine.estimate, mine.stderr, mine.t, mine.p),
                *(mine.interval.low, mine.interval.high),
                *(mine.stderr_hc3, mine.p_hc3),
                *(mine.interval_hc3.low, mine.interval_hc3.high),
            ],
            expected,
            rtol=1e-10,
        )
    np.testing.assert_allclose(
        [found.r2, found.r2_adjusted],
        [fitted.rsquared, fitted.rsquared_adj],
        rtol=1e-12,
    )


def test_hc3_by_its_formula():
    x, y = np.array([0.0, 1, 2, 5, 6]), np.array([1.0, 0, 3, 2, 7])
    design = np.column_stack([np.ones(5), x])
    inverse = np.linalg.inv(design.T @ design)
    residual = y - design @ (inverse @ design.T @ y)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    middle = design.T @ (design * ((residual / (1 - leverage)) ** 2)[:, None])
    expected = np.sqrt(np.diag(inverse @ middle @ inverse))

    found = line(x, y)

    np.testing.assert_allclose(
        [found.intercept.stderr_hc3, found.slope.stderr_hc3], expected, rtol=1e-11
    )


def test_hc3_is_not_defined_where_one_point_decides():
    found = line([1, 1, 1, 2], [1, 2, 5, 1])

    assert math.isnan(found.slope.stderr_hc3)
    assert math.isnan(found.slope.interval_hc3.low)
    assert found.undetermined > 0


@pytest.mark.parametrize("unit", [1e-300, 1e-9, 1e9, 1e300])
def test_units_do_not_matter(unit):
    x, y = np.array([1.0, 2, 3, 7]), np.array([1.0, 2, 5, 1])
    plain, other = line(x, y), line(unit * x, y)

    np.testing.assert_allclose(other.r2, plain.r2, rtol=1e-10)
    np.testing.assert_allclose(
        other.slope.estimate * unit, plain.slope.estimate, rtol=1e-10
    )
    np.testing.assert_allclose(
        [other.intercept.estimate, other.slope.p, other.intercept.p],
        [plain.intercept.estimate, plain.slope.p, plain.intercept.p],
        rtol=1e-9,
    )


def test_an_offset_of_x_does_not_move_the_slope():
    x, y = np.array([0.0, 1, 2, 4]), np.array([1.0, 2, 4, 3])

    np.testing.assert_allclose(
        line(x + 2.0**30, y).slope.estimate, line(x, y).slope.estimate, rtol=1e-12
    )


def test_a_perfect_line_has_p_zero_and_no_warning():
    found = line([1, 2, 3, 4], [2, 4, 6, 8])

    np.testing.assert_allclose(found.r2, 1, rtol=1e-14)
    assert found.slope.p < 1e-12
    assert found.slope.p_hc3 < 1e-12


def test_bands_are_those_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 12))
    band = band_of(x, y, line(x, y, 0.8), 0.8)
    design = sm.add_constant(np.array(band.x))
    expected = (
        sm.OLS(y, sm.add_constant(x)).fit().get_prediction(design).summary_frame(0.2)
    )

    for name, mine in (
        ("mean", band.fitted),
        ("mean_ci_lower", band.low),
        ("mean_ci_upper", band.high),
        ("obs_ci_lower", band.predicted_low),
        ("obs_ci_upper", band.predicted_high),
    ):
        np.testing.assert_allclose(mine, expected[name], rtol=1e-9, atol=1e-12)


def test_a_parabola_is_curved_and_a_line_is_not():
    x = np.linspace(-1, 1, 12)
    noise = 0.01 * np.random.default_rng(0).normal(size=12)

    assert line(x, x + x**2 + noise).p_curvature < 1e-6
    assert line(x, x + noise).p_curvature > 0.05
    assert math.isnan(line(x[:5], x[:5] ** 2).p_curvature)


def test_intervals_hold_the_slope_as_often_as_they_say():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        x = rng.normal(size=8)
        found = line_of(x, 3 * x + rng.normal(size=8), 0.9, 100, 0)
        held += found.slope.interval.low <= 3 <= found.slope.interval.high

    assert stats.binomtest(held, 200, 0.9).pvalue > 1e-3
