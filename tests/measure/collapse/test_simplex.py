"""NC2: simplex frames by construction, and vectors without direction."""

import numpy as np
import pytest

from boundkit.collapsing import collapse
from tests.measure.collapse.samples import collapsed, drawn, simplex

NAMES = (
    "nc2_equinorm",
    "nc2_equiangle",
    "nc2_equiangle_relative",
    "nc2_max_angle",
    "nc2_etf",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_a_simplex_is_one(name, classes):
    found = collapse(*collapsed(classes, 8))

    for which in ("means", "weights"):
        assert found[f"{name}_{which}"] == pytest.approx(0, abs=1e-14)


def test_orthogonal_rows_are_no_simplex():
    rows = np.eye(4)
    found = collapse(np.eye(4), range(4), rows)

    # Cosines are 0 instead of -1/3; G = I against (I - 11^T/4)/sqrt(3).
    assert found["nc2_max_angle_weights"] == pytest.approx(1 / 3, rel=1e-15)
    assert found["nc2_equiangle_weights"] == 0
    assert found["nc2_etf_weights"] == pytest.approx(np.sqrt(2 - np.sqrt(3)), rel=1e-14)
    assert "mean cosine is zero" in found.reasons["nc2_equiangle_relative_weights"]
    # Centering makes the orthogonal means a simplex.
    assert found["nc2_max_angle_means"] == pytest.approx(0, abs=1e-15)


def test_two_lengths_by_hand():
    found = collapse(np.eye(2), [0, 1], [[3.0, 0], [0, 1]])

    assert found["nc2_equinorm_weights"] == pytest.approx(0.5, rel=1e-15)


def test_two_classes_say_nothing_about_means_and_are_noted():
    features, labels, *_ = drawn((8, 5), 3)
    found = collapse(features, labels)

    assert found["nc2_max_angle_means"] == pytest.approx(0, abs=1e-12)
    assert any("NC2 of the means says nothing" in each for each in found.notices)


def test_more_classes_than_features_allow_are_noted():
    features, labels, *_ = drawn((3,) * 5, 3)
    found = collapse(features, labels)

    assert "5 classes in 3 features: no simplex frame exists there" in found.notices
    assert found["nc2_max_angle_means"] > 0.01
    assert found["nc1_pinv"] > 0


def test_vectors_of_zero_length_have_no_direction():
    rows = simplex(3, 4)
    rows[1] = 0

    found = collapse(3 * simplex(3, 4), range(3), rows)
    reason = "the classifier row of class 1 is zero and has no direction"

    assert found.reasons["nc2_equiangle_weights"] == reason
    assert found.reasons["nc3_per_class"] == reason
    assert found["nc2_equinorm_weights"] == pytest.approx(np.sqrt(0.5), rel=1e-14)


def test_a_classifier_of_zeros():
    reasons = collapse(np.eye(2), [0, 1], np.zeros((2, 2))).reasons

    assert "all of the vectors are zero" in reasons["nc2_equinorm_weights"]
    assert "the vectors are zero" in reasons["nc2_etf_weights"]
    assert "all zero" in reasons["nc3_frobenius"]


def test_one_class_has_no_angles():
    found = collapse(np.ones((3, 2)), [0, 0, 0], np.eye(2))

    for which in ("means", "weights"):
        assert found.reasons[f"nc2_etf_{which}"] == "needs two classes with samples"


def test_a_mean_at_the_center_has_no_direction():
    features = np.array([[1.0, 0], [-1, 0], [0, 0]])

    reason = collapse(features, range(3)).reasons["nc2_equiangle_means"]

    assert reason == "the centered mean of class 2 is zero and has no direction"
