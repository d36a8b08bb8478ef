"""Each batch that cannot be used is refused with what, where, why, what to do."""

import re

import numpy as np
import pytest
import torch

from boundkit.data.checks import checked_inputs, checked_labels, checked_lengths
from boundkit.errors import DataError


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([[1, 255]], np.uint8), torch.float32),
        (np.array([[True, False]]), torch.float32),
        (np.array([[1, 2]], np.int64), torch.float32),
        (np.array([[1, 2]], np.float16), torch.float32),
        (np.array([[1, 2]], ">f4"), torch.float32),
        (np.array([[1, 2]], np.float64), torch.float64),
        (torch.tensor([[1.0, 2.0]], dtype=torch.bfloat16), torch.float32),
    ],
)
def test_inputs_become_floats_with_the_same_values(values, dtype):
    found = checked_inputs(values, (2,), "d", 0)

    assert found.dtype == dtype
    wide = values.double() if isinstance(values, torch.Tensor) else values
    np.testing.assert_array_equal(found.double().numpy(), np.asarray(wide, np.float64))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_not_finite_is_named_by_its_index_in_the_data_set(bad):
    x = np.zeros((4, 1, 2), np.float32)
    x[2, 0, 1] = bad

    with pytest.raises(DataError, match=re.escape("d: x[12] holds NaN or Inf")):
        checked_inputs(x, (1, 2), "d", 10)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3)), "sample 5 on has shape (2, 3), but the first sample has"),
        (np.float32(1), "has shape ()"),
        (np.zeros((2, 2), complex), "x is complex128"),
        (np.array([["a", "b"]]), "x is not an array of numbers"),
        (np.array([[object()]]), "x is not an array of numbers"),
        (torch.zeros(2, 2).to_sparse(), "sparse"),
    ],
)
def test_inputs_that_no_net_could_take_are_refused(values, message):
    with pytest.raises(DataError, match=re.escape(message)):
        checked_inputs(values, (2,), "d", 5)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 2, 1], [0, 2, 1]),
        ([-1, 1, 1], [-1, 1, 1]),
        ([-1.0, 1.0], [-1, 1]),
        (np.array([[3.0], [0.0]], np.float16), [3, 0]),
        (np.array([True, False]), [1, 0]),
        (np.array([5, 6], ">i2"), [5, 6]),
        (torch.tensor([1, 0], dtype=torch.uint8), [1, 0]),
    ],
)
def test_whole_numbers_of_any_type_are_labels(values, labels):
    found = checked_labels(values, "d", 0)

    assert found.dtype == torch.int64
    assert found.tolist() == labels


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.eye(3), "y has shape (3, 3) and looks one-hot; give class indices, y.argm"),
        (np.zeros((2, 2, 2)), "y has shape (2, 2, 2); give one label per sample"),
        (3, "y has shape (); give one label per sample"),
        ([0.0, 0.5], "y[8] is 0.5, not a whole number"),
        ([1.0, np.nan], "y[8] is nan, not a whole number"),
        ([0, -2], "y[8] is -2; labels are class indices"),
        ([-1, 3], "y[8] is 3; labels are class indices"),
        ([-1, 0], "y[8] is 0; labels are class indices"),
        (["a"], "y is not an array of numbers"),
    ],
)
def test_labels_of_no_known_coding_are_refused(values, message):
    with pytest.raises(DataError, match=re.escape(message)):
        checked_labels(values, "d", 7)


def test_counts_must_agree_and_be_positive():
    with pytest.raises(DataError, match="x has 3 samples but y has 2 labels"):
        checked_lengths(3, 2, "d")
    with pytest.raises(DataError, match="d: no samples in it"):
        checked_lengths(0, 0, "d")
