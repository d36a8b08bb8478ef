"""Moments of classes add up, whatever the split."""

import itertools
from dataclasses import fields
from functools import reduce
from operator import add

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from boundkit.errors import UsageError
from boundkit.numerics.class_moments import Agreement, ClassMoments

H = torch.tensor([[1.0, 0.0], [3.0, 0.0], [-1.0, 0.0], [-3.0, 0.0]])
Y = torch.tensor([0, 0, 1, 1])


def _sample(n=200, classes=4, width=6, seed=0, offset=0.0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (n,), generator=generator)
    noise = torch.randn(n, width, generator=generator, dtype=torch.float64)
    return noise + labels.unsqueeze(1) + offset, labels


def assert_alike(found, expected, rtol=1e-12):
    for field in fields(ClassMoments):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if other is None or isinstance(other, bool):
            assert one is other
        else:
            scale = float(other.abs().max())
            np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * scale)


def test_two_classes_by_hand():
    found = ClassMoments.of(H, Y, 3)

    assert found.count.tolist() == [2, 2, 0]
    assert found.mean.tolist() == [[2, 0], [-2, 0], [0, 0]]
    assert found.spread.tolist() == [2, 2, 0]
    assert found.within.tolist() == [[4, 0], [0, 0]]
    assert found.basis is None


def test_no_samples_are_neutral():
    h, y = _sample()
    nothing = ClassMoments.of(h[:0], y[:0], 4)
    whole = ClassMoments.of(h, y, 4)

    assert_alike(nothing + whole, whole)
    assert_alike(whole + nothing, whole)


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_batches_add_up_in_any_order(size, offset):
    h, y = _sample(offset=offset)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(1))
    parts = [ClassMoments.of(h[rows], y[rows], 4) for rows in torch.split(order, size)]

    # Digits that the offset takes from float64 features themselves are lost to all.
    rtol = 1e-10 if offset else 1e-12
    assert_alike(reduce(add, parts), ClassMoments.of(h, y, 4), rtol)


def test_scatter_in_a_subspace_adds_up():
    h, y = _sample()
    basis = torch.linalg.qr(torch.randn(6, 2, dtype=torch.float64)).Q

    def inside(rows):
        found = ClassMoments.of(h[rows], y[rows], 4)
        within = basis.mT @ found.within @ basis
        return ClassMoments(found.count, found.mean, found.spread, within, basis)

    assert_alike(inside(slice(90)) + inside(slice(90, 200)), inside(slice(200)))


def test_different_subspaces_are_not_merged():
    h, y = _sample()
    whole = ClassMoments.of(h, y, 4)
    half = ClassMoments(
        whole.count, whole.mean, whole.spread, whole.within, torch.eye(6).double()
    )

    with pytest.raises(UsageError, match="different subspaces"):
        whole + half


@pytest.mark.property
@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=9), seed=st.integers(0, 99))
def test_every_split_gives_the_same_moments(cuts, seed):
    h, y = _sample(seed=seed)
    bounds = [0, *sorted(cuts), 200]
    parts = [
        ClassMoments.of(h[low:high], y[low:high], 4)
        for low, high in itertools.pairwise(bounds)
    ]

    assert_alike(reduce(add, parts), ClassMoments.of(h, y, 4), rtol=1e-10)


def test_agreement_adds_up_and_what_is_unknown_stays_so():
    one = Agreement(torch.tensor([2, 1]), torch.tensor([1, 0]), torch.tensor([0, 0]))
    known = Agreement(*[torch.tensor([1, 2])] * 4)

    total = one + known

    assert total.count.tolist() == [3, 3]
    assert total.nearest_errors.tolist() == [2, 2]
    assert total.net_errors is None
    assert (known + known).net_errors.tolist() == [2, 4]
