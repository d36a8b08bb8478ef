"""The few directions that tell classes apart hold what the whole space says of them."""

import numpy as np
import pytest
import torch

from boundkit.numerics.class_moments import ClassMoments
from boundkit.numerics.class_totals import ClassTotals
from boundkit.numerics.span import directions, span_of


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
