"""The few directions that tell classes apart hold what the whole space says of them."""

import numpy as np
import pytest
import torch

from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.class_totals import ClassTotals
from boundkit.numerics.nearest import Centers, agreement
from boundkit.numerics.span import Projected, directions, span_of


def _sample(classes, width, n=300):
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, classes, (n,), generator=generator)
    means = 3 * torch.randn(classes, width, generator=generator)
    return (means[y] + torch.randn(n, width, generator=generator)).float(), y


def test_differences_of_means_and_rows_lie_in_the_span():
    h, y = _sample(4, 30)
    moments = ClassMoments.of(h, y, 4)
    weight = torch.randn(4, 30, dtype=torch.float64)

    basis = directions(moments.mean, moments.count, weight)

    assert basis.shape == (30, 7)
    np.testing.assert_allclose(basis.mT @ basis, np.eye(7), atol=1e-14)
    for rows in (weight, moments.mean - moments.mean[0]):
        np.testing.assert_allclose(rows @ basis @ basis.mT, rows, atol=1e-12)


def test_equal_means_and_zero_rows_leave_an_orthonormal_basis():
    mean = torch.ones(3, 20, dtype=torch.float64)

    basis = directions(mean, torch.ones(3), torch.zeros(3, 20, dtype=torch.float64))

    np.testing.assert_allclose(basis.mT @ basis, np.eye(5), atol=1e-14)


def test_a_class_without_samples_takes_no_direction():
    mean = torch.randn(4, 20, dtype=torch.float64)

    assert directions(mean, torch.tensor([1, 0, 2, 3]), None).shape == (20, 2)


def test_where_nothing_is_gained_there_is_no_span():
    mean = torch.randn(6, 10, dtype=torch.float64)

    assert directions(mean, torch.ones(6), None) is None
    assert directions(mean[:5], torch.ones(5), None) is not None


# 64 directions and more are multiplied many samples at a time.
@pytest.mark.parametrize(("classes", "width", "rows"), [(4, 30, 7), (70, 150, 16)])
def test_projected_sums_equal_those_of_the_whole_space(classes, width, rows):
    h, y = _sample(classes, width, 2500 if classes > 64 else 300)
    whole = ClassMoments.of(h, y, classes)
    basis = directions(whole.mean, whole.count, None)
    weight = torch.randn(classes, basis.shape[1], dtype=torch.float64) @ basis.mT
    bias = torch.randn(classes, dtype=torch.float64)
    sums = Projected.empty(whole.mean, whole.count, basis, weight, bias, rows)

    first, left = sums.add(h[:111], y[:111])
    second, right = sums.add(h[111:], y[111:])
    found = sums.finished(whole.count)

    scale = float(whole.within.abs().max())
    np.testing.assert_allclose(
        found.within, basis.mT @ whole.within @ basis, rtol=1e-11, atol=1e-12 * scale
    )
    np.testing.assert_allclose(found.spread, whole.spread, rtol=1e-12)
    outputs = h.double() @ weight.mT + bias
    np.testing.assert_allclose(torch.cat([left, right]), outputs, atol=1e-9)
    centers = Centers.of(whole.mean, whole.count)
    expected = agreement(centers, h, y, outputs.argmax(1), (outputs - bias).argmax(1))
    total = first + second
    for name in ("count", "nearest_errors", "net_errors", "mismatches"):
        assert getattr(total, name).tolist() == getattr(expected, name).tolist()
    assert total.mismatches_unbiased.tolist() == expected.mismatches_unbiased.tolist()
    np.testing.assert_allclose(total.to_mean, expected.to_mean, rtol=1e-12)
    np.testing.assert_allclose(total.to_center, expected.to_center, rtol=1e-12)


def test_nothing_leaves_the_device():
    mean = torch.zeros(3, 40, dtype=torch.float64, device="meta")
    count = torch.ones(3, device="meta")
    basis = torch.zeros(40, 5, dtype=torch.float64, device="meta")
    sums = Projected.empty(mean, count, basis, mean, None, 4)
    labels = torch.zeros(9, dtype=torch.int64, device="meta")

    found, outputs = sums.add(torch.zeros(9, 40, device="meta"), labels)

    assert outputs.device.type == found.to_center.device.type == "meta"
    assert sums.finished(count).within.device.type == "meta"


def _totals(h, y, classes):
    totals = ClassTotals.empty(classes, h.shape[1])
    totals.add(h, y)
    return totals


def _refused():
    raise AssertionError("features were gathered")


@pytest.mark.parametrize("weight", [None, torch.randn(4, 60, dtype=torch.float64)])
def test_few_samples_lie_in_one_span(weight):
    h, y = _sample(4, 60, n=20)
    h += 1000

    span = span_of(_totals(h, y, 4), weight, lambda: h)

    assert span.complete
    assert span.basis.shape == (60, 21 if weight is None else 25)
    unit = np.eye(span.basis.shape[1])
    np.testing.assert_allclose(span.basis.mT @ span.basis, unit, atol=1e-13)
    for rows in (h.double(), weight):
        if rows is not None:
            np.testing.assert_allclose(
                rows @ span.basis @ span.basis.mT, rows, rtol=1e-12, atol=1e-11
            )


@pytest.mark.parametrize(("n", "width"), [(59, 60), (300, 60), (2000, 4400)])
def test_many_samples_are_not_gathered(n, width):
    totals = _totals(*_sample(4, width, n), 4)

    span = span_of(totals, None, _refused)

    assert not span.complete
    assert span.basis.shape == (width, 3)


def test_where_many_classes_meet_many_samples_there_is_no_span():
    assert span_of(_totals(*_sample(20, 30), 20), None, _refused) is None


def test_without_features_to_gather_the_means_span_what_they_can():
    span = span_of(_totals(*_sample(4, 60, n=20), 4), None, lambda: None)

    assert not span.complete
