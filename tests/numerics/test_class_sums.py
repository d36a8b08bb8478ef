"""Sums and counts of classes equal those of a loop, on either kind of device."""

import pytest
import torch
from torch._subclasses import FakeTensorMode

from boundkit.numerics.class_sums import class_counts, class_sums

LABELS = torch.tensor([2, 0, 2, 4, 2, 0])


def test_sums_are_those_of_each_class():
    values = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0, 32.0], dtype=torch.float64)
    found = class_sums(values, LABELS, 6)
    assert found.tolist() == [34, 0, 21, 0, 8, 0]
    assert found.dtype == torch.float64


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, [2, 0, 3, 0, 1, 0]),
        (LABELS == 7, [0] * 6),
        (torch.tensor([True, False, False, True, True, True]), [1, 0, 2, 0, 1, 0]),
    ],
)
def test_counts_are_those_of_each_class(chosen, expected):
    found = class_counts(chosen, LABELS, 6)
    assert found.tolist() == expected
    assert found.dtype == torch.int64


def test_another_device_is_not_waited_for():
    with FakeTensorMode():
        labels = torch.zeros(5, dtype=torch.int64, device="cuda")
        values = torch.ones(5, dtype=torch.float64, device="cuda")
        for found in (
            class_sums(values, labels, 3),
            class_counts(None, labels, 3),
            class_counts(values > 0, labels, 3),
        ):
            assert found.shape == (3,)
            assert found.device.type == "cuda"
