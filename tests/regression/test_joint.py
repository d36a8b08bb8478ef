"""Groups in one model: F tests against formulas of statsmodels, and Simpson's paradox."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from boundkit.regression.joint import joint_of


def test_the_f_tests_are_those_of_anova():
    import statsmodels.formula.api as smf
    from statsmodels.stats.anova import anova_lm

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=30), "g": list("abc") * 10})
    frame["y"] = frame["x"] * (frame["g"] == "a") + rng.normal(size=30)
    pooled, common, apart = (
        smf.ols(f"y ~ {terms}", frame).fit() for terms in ("x", "x + g", "x * g")
    )
    slopes = anova_lm(common, apart).iloc[1]
    intercepts = anova_lm(pooled, common).iloc[1]
    found = joint_of(*(frame[c].to_numpy() for c in "xyg"), 0.95)

    assert found.groups == ("a", "b", "c")
    assert found.slopes_differ.df == (2, 24)
    np.testing.assert_allclose(
        [found.slopes_differ.f, found.slopes_differ.p],
        [slopes["F"], slopes["Pr(>F)"]],
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        [found.intercepts_differ.f, found.intercepts_differ.p],
        [intercepts["F"], intercepts["Pr(>F)"]],
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        [found.common_slope.estimate, found.common_slope.p, found.r2],
        [common.params["x"], common.pvalues["x"], common.rsquared],
        rtol=1e-9,
    )


def test_two_steps_that_rise_within_fall():
    # Within each group y falls with x; the second group is higher in both.
    x = np.array([0.0, 1, 2, 10, 11, 12])
    y = np.array([2.0, 1.1, 0, 12, 10.9, 10])
    found = joint_of(x, y, np.array(list("aaabbb")), 0.95)

    assert found.common_slope.estimate == pytest.approx(-1, abs=0.05)
    assert found.intercepts_differ.p < 1e-3
    assert np.polyfit(x, y, 1)[0] > 0


@pytest.mark.parametrize(
    ("x", "groups"),
    [([1, 2, 3, 4], "aaaa"), ([1, 1, 2, 2], "aabb"), ([1, 2, 3], "abb")],
)
def test_nothing_is_said_where_nothing_can_be(x, groups):
    x = np.array(x, float)

    assert joint_of(x, x**2 - x, np.array(list(groups)), 0.95) is None


def test_a_group_of_one_x_has_no_slope_of_its_own():
    x = np.array([1.0, 1, 1, 1, 2, 3, 4])
    found = joint_of(x, np.sin(x * 9), np.array(list("aaabbbb")), 0.95)

    assert found.slopes_differ is None
