"""NC3: classifiers that are the means, are opposite to them, or have one row."""

import numpy as np
import pytest

from boundkit.collapsing import collapse
from tests.measure.collapse.samples import collapsed

NAMES = ("nc3_frobenius", "nc3_per_class", "nc3_per_class_centered", "nc3_etf")


@pytest.mark.parametrize("name", NAMES)
def test_the_means_themselves_are_dual(name):
    assert collapse(*collapsed())[name] == pytest.approx(0, abs=1e-14)


def test_opposite_rows_are_two_apart():
    features, labels, weight, bias = collapsed()

    found = collapse(features, labels, -weight, bias)

    for name in NAMES:
        assert found[name] == pytest.approx(2, rel=1e-14)


def test_a_common_part_of_all_rows_is_seen_unless_centered():
    features, labels, weight, bias = collapsed()

    found = collapse(features, labels, weight + 1, bias)

    assert found["nc3_per_class"] > 0.1
    assert found["nc3_per_class_centered"] == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("angle", [0.0, 0.3, 2.0])
def test_one_row_is_read_as_two_opposite_ones(angle):
    features = np.array([[1.0, 0], [-1, 0]])
    row = np.array([[np.cos(angle), np.sin(angle)]])

    found = collapse(features, [1, -1], row)
    expected = np.sqrt(2 - 2 * np.cos(angle))

    # At angle 0 the distance is of two equal vectors, exact to rounding.
    assert found["nc3_frobenius"] == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert found["nc3_per_class"] == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert found["nc3_etf"] == pytest.approx(0 if np.cos(angle) > 0 else 2, abs=1e-15)
    assert "one output" in found.reasons["nc2_equinorm_weights"]


def test_without_a_classifier_there_is_no_duality():
    features, labels, *_ = collapsed()
    reasons = collapse(features, labels).reasons

    for name in NAMES:
        assert reasons[name] == "needs the classifier; give its weight"
