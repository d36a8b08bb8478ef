"""Statistics of order, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from boundkit.regression.ranks import ranks_of


def test_three_points_by_hand():
    # Slopes 1, 3/2, 2; ranks agree in every pair.
    found = ranks_of(np.array([0.0, 1, 2]), np.array([0.0, 1, 3]), 0.95, 99, 0)

    assert found.spearman == pytest.approx(1, rel=1e-12)
    assert found.kendall == pytest.approx(1, rel=1e-12)
    assert found.theil_sen == pytest.approx(1.5, rel=1e-12)
    assert found.spearman_p == found.kendall_p == pytest.approx(1 / 3, rel=1e-12)
    assert (found.exact, found.orders) == (True, 6)


def test_scipy_agrees():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 15))
    y[3] = y[4]
    found = ranks_of(x + 100, y, 0.9, 99, 0)
    median = stats.theilslopes(y, x + 100, 0.9)

    assert found.spearman == pytest.approx(stats.spearmanr(x, y).statistic, rel=1e-10)
    assert found.kendall == pytest.approx(stats.kendalltau(x, y).statistic, rel=1e-12)
    assert found.kendall_p == pytest.approx(stats.kendalltau(x, y).pvalue, rel=1e-12)
    assert found.theil_sen == pytest.approx(median.slope, rel=1e-9)
    assert found.theil_sen_interval.low == pytest.approx(median.low_slope, rel=1e-9)
    assert found.theil_sen_intercept == pytest.approx(median.intercept, rel=1e-9)
    assert not found.exact
