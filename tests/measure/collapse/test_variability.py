"""NC1: closed forms, the definitions written out, and what degenerates."""

import numpy as np
import pytest

from boundkit.collapsing import collapse
from tests.measure.collapse.samples import Literal, collapsed, drawn

HAND = np.array([[1.0, 0], [3, 0], [-1, 0], [-3, 0]])


def test_two_classes_on_a_line_by_hand():
    found = collapse(HAND, [0, 0, 1, 1])

    # Sigma_W = diag(1, 0), Sigma_B = diag(4, 0), variances 1, means 4 apart.
    assert found["nc1_pinv"] == pytest.approx(0.25, rel=1e-15)
    assert found["nc1_pinv_per_class"] == pytest.approx(0.125, rel=1e-15)
    assert found["cdnv"] == pytest.approx(0.0625, rel=1e-15)
    assert found["nc1_trace"] == pytest.approx(1.0, rel=1e-15)
    assert found["nc1_ratio"] == pytest.approx(0.25, rel=1e-15)
    assert found["nc1_snr"] == pytest.approx(0.25, rel=1e-15)
    assert found["nc1_distance"] == pytest.approx(4 / 8, rel=1e-15)


def test_the_aggregate_of_signal_and_noise_is_not_the_one_with_the_pseudo_inverse():
    features, labels, *_ = drawn((20, 20, 20), 5, seed=3)

    found = collapse(features, labels)

    assert found["nc1_snr"] != pytest.approx(found["nc1_pinv"], rel=1e-3)


def test_collapsed_features_have_no_variability():
    features, labels, *_ = collapsed()

    found = collapse(features, labels)

    for name in (
        "nc1_pinv",
        "nc1_trace",
        "nc1_ratio",
        "nc1_distance",
        "cdnv",
        "nc1_snr",
    ):
        assert found[name] == pytest.approx(
            0, abs=1e-28 if name != "nc1_distance" else 1e-15
        )


def test_coinciding_means_are_infinite_and_named():
    features = np.array([[1.0, 0], [-1, 0], [1, 0], [-1, 0], [5, 1], [5, 3]])

    reasons = collapse(features, [0, 0, 1, 1, 2, 2]).reasons

    assert "span 1 dimensions instead of 2" in reasons["nc1_pinv"]
    assert "means of classes 0 and 1 coincide" in reasons["cdnv"]
    assert "an omega is 0" in reasons["nc1_snr"]


def test_all_means_in_one_point():
    features = np.array([[1.0], [-1], [2], [-2]])

    found = collapse(features, [0, 0, 1, 1])

    assert found["nc1_trace"] == pytest.approx(2.5)
    assert found["nc1_ratio"] is None
    assert found["nc1_pinv"] is None
    assert "coincide" in found.reasons["nc1_ratio"]


def test_one_point_only():
    found = collapse(np.ones((4, 2)), [0, 0, 1, 1])

    assert "all features coincide" in found.reasons["nc1_distance"]


def test_one_class_only():
    reasons = collapse(np.ones((3, 2)), [1, 1, 1]).reasons

    for name in ("nc1_pinv", "cdnv", "nc1_snr"):
        assert "needs two classes" in reasons[name]


def test_close_means_far_from_the_origin_keep_their_distance():
    """Differences of Gram entries would cancel; small gaps are computed anew."""
    features, labels, *_ = drawn((5, 5, 5), 4, seed=1)
    features[labels == 1] = features[labels == 0] + 1e-6
    features += 1e3

    # The gap of 1e-6 is known to 1e-13 at an offset of 1e3.
    assert collapse(features, labels)["cdnv"] == pytest.approx(
        Literal(features, labels).cdnv(), rel=1e-5
    )


def test_scale_free_measures_do_not_see_scale_rotation_and_shift():
    features, labels, *_ = drawn((9, 14, 6), 5)
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(5, 5)))[0]

    found, moved = collapse(features, labels), collapse(7 * features @ turn + 3, labels)

    for name in (
        "nc1_pinv",
        "nc1_pinv_nuclear",
        "nc1_ratio",
        "nc1_distance",
        "cdnv",
        "nc1_snr",
    ):
        assert moved[name] == pytest.approx(found[name], rel=1e-11)
    assert moved["nc1_trace"] == pytest.approx(49 * found["nc1_trace"], rel=1e-12)


def test_the_aggregate_of_signal_and_noise_does_not_see_linear_maps():
    features, labels, *_ = drawn((9, 14, 6), 5)
    skew = np.random.default_rng(5).normal(size=(5, 5))

    assert collapse(features @ skew, labels)["nc1_snr"] == pytest.approx(
        collapse(features, labels)["nc1_snr"], rel=1e-9
    )
