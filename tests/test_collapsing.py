"""``boundkit.collapse``: arrays of every kind in, named errors out."""

import re

import numpy as np
import pytest
import torch

import boundkit
from boundkit.errors import DataError, UsageError
from tests.measure.collapse.samples import drawn

FEATURES, LABELS, WEIGHT, BIAS = drawn((9, 14, 6), 4)


def values(found):
    return [one.value for one in found.findings]


def test_it_is_public():
    assert boundkit.collapse(FEATURES, LABELS)["nc1_pinv"] > 0


def test_arrays_tensors_and_lists_are_alike():
    expected = values(boundkit.collapse(FEATURES, LABELS, WEIGHT, BIAS))

    tensors = (torch.tensor(each) for each in (FEATURES, LABELS, WEIGHT, BIAS))
    lists = (each.tolist() for each in (FEATURES, LABELS, WEIGHT, BIAS))
    assert values(boundkit.collapse(*tensors)) == expected
    assert values(boundkit.collapse(*lists)) == expected


def test_a_parameter_that_needs_a_gradient_is_taken_as_it_is():
    layer = torch.nn.Linear(4, 3)

    found = boundkit.collapse(FEATURES, LABELS, layer.weight, layer.bias)

    assert found["nc3_frobenius"] > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_lower_precision_is_added_up_in_float64(dtype):
    features = torch.tensor(FEATURES).to(dtype)

    low = boundkit.collapse(features, LABELS)
    same = boundkit.collapse(features.double(), LABELS)

    np.testing.assert_allclose(low["nc1_pinv"], same["nc1_pinv"], rtol=1e-13)


def test_float32_far_from_the_origin_keeps_its_digits():
    """An offset of 1e5 within-class deviations, in float32."""
    features = (1e-2 * FEATURES + 1e3).astype(np.float32)
    exact = features.astype(np.float64)
    means = np.array([exact[c == LABELS].mean(0) for c in range(3)])
    within = (exact - means[LABELS]).T @ (exact - means[LABELS]) / len(exact)
    centered = means - means.mean(0)
    expected = np.trace(within @ np.linalg.pinv(centered.T @ centered / 3, rcond=1e-8))

    np.testing.assert_allclose(
        boundkit.collapse(features, LABELS, batch_size=4)["nc1_pinv"],
        expected,
        rtol=1e-9,
    )


def test_integers_are_features():
    found = boundkit.collapse(
        np.array([[1, 0], [3, 0], [-1, 0], [-3, 0]]), [0, 0, 1, 1]
    )

    assert found["nc1_pinv"] == pytest.approx(0.25)


def test_more_classes_than_have_samples():
    found = boundkit.collapse(FEATURES, LABELS, classes=5)

    assert "classes without samples are left out: 2 of 5" in found.notices


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(3), LABELS), r"features have shape \(3,\)"),
        ((np.zeros((0, 3)), []), r"features have shape \(0, 3\)"),
        (([["a"]], [0]), "features are not an array of numbers"),
        ((FEATURES * 1j, LABELS), "features are torch.complex128"),
        ((FEATURES, LABELS[1:]), "29 features but 28 labels"),
        ((FEATURES, np.eye(3)[LABELS]), "looks one-hot"),
        ((FEATURES, LABELS + 0.5), "not a whole number"),
        ((FEATURES, LABELS - 2), "class indices"),
        (
            (FEATURES, LABELS, WEIGHT[:2]),
            r"labels\[\d+\] is 2, but there are 2 classes",
        ),
        (
            (FEATURES, LABELS, WEIGHT[:1]),
            r"labels\[\d+\] is 2, but there are 2 classes",
        ),
        ((FEATURES, LABELS % 2 * 2 - 1, WEIGHT), "the last layer has 3 outputs"),
    ],
)
def test_data_that_cannot_be_used_are_named(arguments, message):
    with pytest.raises(DataError, match=message):
        boundkit.collapse(*arguments)


def test_features_too_large_to_be_added_up_are_refused():
    with pytest.raises(DataError, match="features are too large to be added up"):
        boundkit.collapse(np.full((6, 2), 1e308), [0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize("scatter", ["whole", "span"])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_single_precision_is_named_and_nearly_the_same(offset, scatter):
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 5
    means = rng.normal(size=(5, 60))
    noise = 3 * rng.normal(size=(400, 60))
    features = (means[labels] + noise + offset).astype(np.float32)
    arguments = (features, labels, means, np.zeros(5))

    low, high = (
        boundkit.collapse(*arguments, scatter=scatter, precision=one)
        for one in ("single", "double")
    )

    for one, other in zip(low.findings, high.findings, strict=True):
        if isinstance(other.value, float):
            assert one.value == pytest.approx(other.value, rel=2e-5, abs=1e-9), one.name
    assert low["nc4_mismatch"] == high["nc4_mismatch"] > 0
    assert low["nc1_pinv"] == pytest.approx(high["nc1_pinv"], rel=1e-6)
    assert "float32 products" in low.conventions["precision"]
    assert "float64" in high.conventions["precision"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_sample_that_is_not_finite_is_named(value):
    broken = FEATURES.copy()
    broken[17, 2] = value

    with pytest.raises(DataError, match=re.escape("features[17] holds NaN or Inf")):
        boundkit.collapse(broken, LABELS, batch_size=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight_decay": -1.0}, "weight_decay must be a number of at least 0"),
        ({"rho": float("nan")}, "rho must be a number of at least 0"),
        ({"rho_decay": -0.1}, "rho_decay must be a number of at least 0"),
        ({"square_loss": "max"}, "square_loss must be among mean, sum, half"),
        ({"precision": "half"}, "precision must be among double, single"),
        ({"targets": "soft"}, "targets must be among one-hot, centered"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"bias": BIAS}, "bias is given without weight"),
        ({"classes": 0}, "classes must be at least 1"),
        ({"weight": WEIGHT, "classes": 5}, "classes must be 3 for a weight of 3 rows"),
        ({"class_means": WEIGHT[:2]}, r"class_means must have shape \(3, 4\)"),
        ({"class_means": WEIGHT * np.nan}, "class_means hold NaN"),
        ({"weight": WEIGHT[:, :2]}, r"weight must have shape \(C, 4\)"),
        ({"weight": WEIGHT, "bias": BIAS[:2]}, "one number per row of weight"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        boundkit.collapse(FEATURES, LABELS, **options)


def test_held_out_features_are_decided_by_the_means_of_the_training_sample():
    means = np.array([[0.0], [10.0]])
    held_out = np.array([[4.0], [4.5], [6.0]])

    found = boundkit.collapse(held_out, [0, 1, 1], class_means=means)

    assert found["ncc_error"] == pytest.approx(1 / 3)
    assert found["nc1_distance"] == pytest.approx((4 + 5.5 + 4) / (1 + 0.5 + 1))
    assert found["nc1_trace"] == pytest.approx(2 * 0.75**2 / 3)


def test_features_stay_on_their_device():
    """Nothing of a pass over a GPU's features meets a tensor of the CPU."""
    from torch._subclasses import FakeTensorMode

    from boundkit.numerics.largest import decision
    from boundkit.numerics.nearest import Centers, agreement
    from boundkit.numerics.pivoted_sums import PivotedSums

    with FakeTensorMode():
        features = torch.empty(6, 4, device="cuda")
        labels = torch.empty(6, dtype=torch.int64, device="cuda")
        head = torch.empty(3, 4, device="cuda", dtype=torch.float64)
        sums = PivotedSums.empty(3, 4, "cuda")
        sums.add(features, labels)
        moments = sums.finished()
        centers = Centers.of(moments.mean, moments.count)
        decided = decision(features.double() @ head.mT)
        seen = agreement(centers, features, labels, decided, decided)

    assert moments.within.device.type == "cuda"
    assert seen.to_mean.device.type == "cuda"
