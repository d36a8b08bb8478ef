"""Signal-to-noise values: definitions, singular noise, and the loss they allow."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from boundkit.collapsing import collapse
from tests.measure.collapse.samples import Literal, collapsed, drawn


def test_values_are_those_of_the_matrix():
    features, labels, *_ = drawn((30, 30, 30, 30), 6)
    literal = Literal(features, labels)
    means = np.array(list(literal.m.values())).T
    matrix = np.linalg.inv(sqrtm(literal.within)) @ means

    found = collapse(features, labels)

    np.testing.assert_allclose(
        found["snr.singular_values"],
        np.linalg.svd(matrix, compute_uv=False)[:3],
        rtol=1e-9,
    )
    assert found["snr.rank"] == 6
    assert found["snr.infinite"] == 0


def test_the_loss_on_the_central_path_is_that_of_the_best_layer():
    features, labels, *_ = drawn((30, 30, 30, 30), 6)
    found = collapse(features, labels, np.zeros((4, 6)), np.zeros(4))

    assert found["snr.central_path_loss"] == pytest.approx(
        found["mse.l_nc1"] + found["mse.l_nc23"], rel=1e-11
    )


@pytest.mark.parametrize(("per_class", "width"), [(2, 12), (1, 3), (2, 3)])
def test_the_loss_is_right_where_the_noise_is_singular(per_class, width):
    features, labels, *_ = drawn((per_class,) * 5, width, seed=2)
    found = collapse(features, labels, np.zeros((5, width)), np.zeros(5))

    # Noiseless directions are found to 1e-7 of the means.
    assert found["snr.central_path_loss"] == pytest.approx(
        found["mse.l_nc1"] + found["mse.l_nc23"], rel=1e-9, abs=1e-12
    )


def test_dead_units_change_nothing():
    features, labels, *_ = drawn((9, 14, 6), 4)
    dead = np.hstack([features, np.zeros((29, 3)), np.full((29, 1), 7.0)])

    found, padded = collapse(features, labels), collapse(dead, labels)

    np.testing.assert_allclose(
        padded["snr.singular_values"], found["snr.singular_values"], rtol=1e-12
    )
    assert padded["snr.rank"] == 4
    assert padded["snr.infinite"] == 0


def test_a_direction_without_noise_is_infinite():
    features, labels, *_ = drawn((9, 14, 6), 4)
    marked = np.hstack([features, (labels == 2)[:, None] * 1.0])

    found = collapse(marked, labels)

    assert found["snr.infinite"] == 1
    assert len(found["snr.singular_values"]) == 1
    assert "1 of the omega are infinite" in found.reasons["snr.ratio"]
    assert "1 of the omega are infinite" in found.reasons["snr.clock_largest"] or (
        "equally many" in found.reasons["snr.clock_largest"]
    )


def test_the_finite_value_is_the_limit_of_a_vanishing_ridge():
    features, labels, *_ = drawn((9, 14, 6), 4)
    marked = np.hstack([features, (labels == 2)[:, None] * 1.0])
    literal = Literal(marked, labels)
    means = np.array(list(literal.m.values()))
    ridge = 1e-9
    gram = means @ np.linalg.solve(literal.within + ridge * np.eye(5), means.T)

    # The ridge of 1e-9 moves the value by about as much.
    assert collapse(marked, labels)["snr.singular_values"][0] == pytest.approx(
        np.sqrt(np.linalg.eigvalsh(gram)[-2]), rel=1e-6
    )


def test_collapsed_features_have_infinite_values_only():
    features, labels, *_ = collapsed()
    found = collapse(features, labels)

    assert found["snr.infinite"] == 3
    assert found["nc1_snr"] == 0
    assert found["snr.central_path_loss"] == 0
    assert "infinite" in found.reasons["snr.clock_smallest"]


def test_more_classes_than_features_have_values_of_zero():
    features, labels, *_ = drawn((8,) * 6, 3)
    found = collapse(features, labels)

    assert len(found["snr.singular_values"]) == 5
    np.testing.assert_array_equal(found["snr.singular_values"][3:], 0)
    assert found["nc1_snr"] == pytest.approx(
        (6 / found["snr.singular_values"][:3] ** 2).sum(), rel=1e-14
    )
    assert found.reasons["snr.ratio"] == "is infinite: the smallest omega is 0"
    assert found.reasons["snr.clock_smallest"] == "an omega of 0 stays there"


def test_unbalanced_classes_have_values_but_no_place_on_the_path():
    features, labels, *_ = drawn((9, 14, 6), 4)
    reasons = collapse(features, labels).reasons

    for name in ("central_path_loss", "clock_largest", "clock_smallest"):
        assert reasons[f"snr.{name}"] == "needs equally many samples in every class"


def test_a_large_scale_changes_nothing():
    features, labels, *_ = drawn((30, 30, 30), 4)

    # Squares of 1e100 times the features are still in range.
    np.testing.assert_allclose(
        collapse(1e100 * features, labels)["snr.singular_values"],
        collapse(features, labels)["snr.singular_values"],
        rtol=1e-10,
    )
