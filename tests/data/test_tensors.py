"""Arrays of any origin become tensors with the same numbers."""

import ml_dtypes
import numpy as np
import pytest
import torch

from boundkit.data.tensors import as_tensor, from_stored
from boundkit.errors import NotApplicable
from boundkit.types import StoredTensor


@pytest.mark.parametrize("dtype", ["<f4", ">f4", ">f8", ">i2", "?", "u1", "<c8"])
def test_byte_orders_do_not_matter(dtype):
    values = np.array([[1, 0], [1, 1]], dtype)

    np.testing.assert_array_equal(as_tensor(values).numpy(), values)


@pytest.mark.parametrize(
    "name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz"]
)
def test_small_floats_are_exact_in_float32(name):
    values = np.array([0.5, -1.25, 96], getattr(ml_dtypes, name))

    found = as_tensor(values)

    assert found.dtype == torch.float32
    assert found.tolist() == [float(v) for v in values]


def test_read_only_and_strided_arrays_are_copied_without_a_warning():
    values = np.broadcast_to(np.array([[1.0], [2.0]]), (2, 3))[::-1]

    assert as_tensor(values).tolist() == [[2, 2, 2], [1, 1, 1]]


def test_what_holds_no_numbers_is_refused():
    with pytest.raises(TypeError, match="dtype <U1 holds no numbers"):
        as_tensor(["a"])


def test_a_tensor_without_bytes_is_refused_with_the_reason():
    with pytest.raises(NotApplicable, match="on the meta device"):
        from_stored(StoredTensor((2,), "float32", None, unread="on the meta device"))
