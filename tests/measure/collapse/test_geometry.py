"""Where the classes lie, and what does not fit."""

import numpy as np
import pytest
import torch

from boundkit.errors import DataError, UsageError
from boundkit.measure.collapse.geometry import geometry_of
from boundkit.numerics.class_moments import ClassMoments


def moments(features=((1.0, 0), (0, 1), (2, 2)), labels=(0, 1, 2), classes=3):
    rows = torch.as_tensor(features, dtype=torch.float64)
    return ClassMoments.of(rows, torch.as_tensor(labels, dtype=torch.int64), classes)


def test_classes_without_samples_are_left_out():
    found = geometry_of(moments(labels=(0, 3, 3), classes=5))

    np.testing.assert_array_equal(found.present, [0, 3])
    np.testing.assert_array_equal(found.count, [1, 2])
    np.testing.assert_allclose(found.center, [1, 0.75], rtol=1e-15)
    np.testing.assert_allclose(found.share, [1 / 3, 2 / 3], rtol=1e-15)
    assert not found.balanced
    assert found.n == 3


def test_means_that_differ_by_rounding_coincide():
    found = geometry_of(moments([[1.0, 1 + 1e-15], [1, 1], [1, 1]]))

    np.testing.assert_array_equal(found.centered, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_moments_that_are_not_finite_are_refused(value):
    with (
        np.errstate(over="ignore"),
        pytest.raises(DataError, match="not finite in float64"),
    ):
        geometry_of(moments([[value, 0], [1, 0], [1, 2]], labels=(0, 0, 1)))


def test_no_samples_at_all():
    with pytest.raises(DataError, match="no samples"):
        geometry_of(moments(torch.zeros(0, 2), labels=()))


@pytest.mark.parametrize(
    ("weight", "bias", "message"),
    [
        (None, np.zeros(3), "bias is given without weight"),
        (np.zeros((3, 4)), None, r"shape \(C, 2\) for features of width 2"),
        (np.zeros(3), None, r"shape \(C, 2\)"),
        (np.zeros((4, 2)), None, "4 rows for 3 classes"),
        (np.zeros((1, 2)), None, "1 rows for 3 classes"),
        (np.zeros((3, 2)), np.zeros(2), "one number per row of weight, 3, but got 2"),
        (np.full((3, 2), np.nan), None, "weight or bias holds NaN"),
        (np.zeros((3, 2)), np.full(3, np.inf), "weight or bias holds NaN"),
    ],
)
def test_last_layers_that_do_not_fit_are_refused(weight, bias, message):
    with pytest.raises(UsageError, match=message):
        geometry_of(moments(), weight, bias)
