"""Every stored number becomes the float64 that it is."""

import ml_dtypes
import numpy as np
import pytest

from boundkit.numerics.blocks import floats
from boundkit.numerics.norms import count_non_finite, frobenius_norm
from boundkit.readers.storage import ArrayStorage
from boundkit.types import StoredTensor

TWO_BYTES = np.arange(1 << 16, dtype=np.uint16)


def values(raw, dtype):
    tensor = StoredTensor((raw.size,), dtype, ArrayStorage(raw))
    with np.errstate(invalid="ignore"):
        return np.concatenate([block.copy() for block in floats(tensor)])


def test_every_bfloat16_is_the_upper_half_of_a_float32():
    with np.errstate(invalid="ignore"):
        wide = (TWO_BYTES.astype(np.uint32) << 16).view(np.float32).astype(np.float64)

    np.testing.assert_array_equal(values(TWO_BYTES, "bfloat16"), wide)


def test_every_float16_keeps_its_value():
    with np.errstate(invalid="ignore"):
        wide = TWO_BYTES.view(np.float16).astype(np.float64)

    np.testing.assert_array_equal(values(TWO_BYTES, "float16"), wide)


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz"])
def test_every_float8_keeps_its_value(dtype):
    raw = np.arange(256, dtype=np.uint8)
    wide = raw.view(getattr(ml_dtypes, dtype)).astype(np.float64)

    np.testing.assert_array_equal(values(raw, dtype), wide)


def test_a_signaling_nan_is_counted_without_a_warning():
    raw = np.array([0x7F800001, 0x3F800000], np.uint32)
    tensor = StoredTensor((2,), "float32", ArrayStorage(raw))

    assert count_non_finite(tensor) == (1, 0)
    assert np.isnan(frobenius_norm(tensor))
