"""Nets with one output, labels -1 and +1."""

import numpy as np
import pytest

from boundkit.collapsing import collapse

FEATURES = np.array([[3.0, 0], [3, 0], [0, 4], [0, 4]])
LABELS = [1, 1, -1, -1]


def test_cosines_by_hand():
    found = collapse(FEATURES, LABELS, [[1.0, 0]])

    assert found["binary.cos_plus"] == 1
    assert found["binary.cos_minus"] == 0
    assert found["binary.cos_difference"] == pytest.approx(0.6, rel=1e-15)
    assert found["binary.antipodal"] == pytest.approx(5 / 7, rel=1e-15)


def test_labels_zero_and_one_mean_the_same():
    signs = collapse(FEATURES, LABELS, [[1.0, -2]], [0.5])
    indices = collapse(FEATURES, [1, 1, 0, 0], [[1.0, -2]], [0.5])

    assert signs.frame().equals(indices.frame())


def test_opposite_means_are_antipodal():
    features = np.array([[1.0, 2], [-1, -2]])

    found = collapse(features, [1, -1], [[1.0, 2]])

    assert found["binary.antipodal"] == 0
    for name in ("cos_plus", "cos_minus", "cos_difference"):
        assert found[f"binary.{name}"] == pytest.approx(1, rel=1e-15)


def test_the_sign_decides_and_zero_is_class_minus_one():
    features = np.array([[2.0], [-2], [0.0]])

    found = collapse(features, [1, -1, -1], [[1.0]])

    # The mean of the two negative samples is -1; 0 is nearer to it than to 2.
    assert found["net_error"] == 0
    assert found["nc4_mismatch"] == 0


def test_means_of_zero():
    features = np.array([[1.0], [-1], [1], [-1]])

    reasons = collapse(features, [1, 1, -1, -1], [[1.0]]).reasons

    assert reasons["binary.antipodal"] == "both class means are zero"
    assert "mean of class +1" in reasons["binary.cos_plus"]
    assert "mean of class -1" in reasons["binary.cos_minus"]
    assert "difference of the means" in reasons["binary.cos_difference"]


def test_one_sign_only():
    reasons = collapse(FEATURES, [1, 1, 1, 1], [[1.0, 0]]).reasons

    assert reasons["binary.*"] == "needs two classes with samples"


def test_nets_with_more_outputs_have_none_of_these():
    reasons = collapse(FEATURES, [1, 1, 0, 0], np.eye(2)).reasons

    assert reasons["binary.*"] == "is defined for nets with one output"
