"""The Frobenius norm is right to 1e-12 whatever the scale, dtype or layout."""

import math
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from boundkit.errors import NotApplicable
from boundkit.numerics.blocks import array, blocks, floats, numpy_dtype
from boundkit.numerics.norms import count_non_finite, frobenius_norm
from boundkit.types import StoredTensor


class Bytes:
    """A storage over an array's bytes."""

    def __init__(self, values):
        self.buffer = np.ascontiguousarray(values).tobytes()
        self.key = str(id(self))

    @property
    def nbytes(self):
        return len(self.buffer)

    def read(self, start, stop):
        return memoryview(self.buffer)[start:stop]


def stored(values, dtype=None, **layout):
    values = np.asarray(values)
    return StoredTensor(
        layout.pop("shape", values.shape),
        dtype or str(values.dtype),
        Bytes(values),
        **layout,
    )


def exact_norm(values):
    """Square root of the exact rational sum of squares, rounded once at the end."""
    total = sum(Fraction(float(v)) ** 2 for v in np.asarray(values).ravel())
    shift = max(total.numerator.bit_length() - total.denominator.bit_length(), -2000)
    shift += shift % 2
    return math.ldexp(math.sqrt(total / Fraction(2) ** shift), shift // 2)


def test_three_four_five():
    assert frobenius_norm(stored([[3.0, 0.0], [0.0, 4.0]])) == 5.0


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-30, 1.0, 1e30, 1e160, 1e300])
def test_no_scale_overflows_or_underflows(scale):
    values = np.random.default_rng(0).standard_normal(500) * scale

    np.testing.assert_allclose(
        frobenius_norm(stored(values)), exact_norm(values), rtol=1e-12
    )


def test_scales_mix_within_one_tensor():
    values = np.concatenate([
        np.full(70_000, 1e-310),
        np.full(70_000, 1e30),
        np.full(70_000, 1e160),
    ])
    expected = 1e160 * math.sqrt(70_000)

    np.testing.assert_allclose(frobenius_norm(stored(values)), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("dtype", "torch_name"),
    [
        (np.float64, "float64"),
        (np.float32, "float32"),
        (np.float16, "float16"),
        (ml_dtypes.bfloat16, "bfloat16"),
        (ml_dtypes.float8_e4m3fn, "float8_e4m3fn"),
        (ml_dtypes.float8_e5m2, "float8_e5m2"),
        (ml_dtypes.float8_e4m3fnuz, "float8_e4m3fnuz"),
        (ml_dtypes.float8_e5m2fnuz, "float8_e5m2fnuz"),
    ],
)
def test_every_dtype_is_exact(dtype, torch_name):
    values = np.random.default_rng(1).standard_normal(4001).astype(dtype)

    got = frobenius_norm(stored(values, torch_name))

    np.testing.assert_allclose(got, exact_norm(values.astype(float)), rtol=1e-12)


def test_float32_does_not_lose_digits_over_many_blocks():
    values = np.random.default_rng(2).standard_normal(1_000_003).astype(np.float32)
    expected = math.sqrt(math.fsum((values.astype(float) ** 2).tolist()))

    np.testing.assert_allclose(frobenius_norm(stored(values)), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_big_endian(dtype):
    values = np.random.default_rng(3).standard_normal(77).astype(dtype)
    tensor = stored(values.astype(values.dtype.newbyteorder(">")), dtype)
    tensor = StoredTensor(tensor.shape, dtype, tensor.storage, big_endian=True)

    np.testing.assert_allclose(
        frobenius_norm(tensor), exact_norm(values.astype(float)), rtol=1e-12
    )


def test_big_endian_bfloat16():
    values = np.arange(1, 9).astype(ml_dtypes.bfloat16)
    swapped = values.view(np.uint16).astype(">u2")
    tensor = StoredTensor((8,), "bfloat16", Bytes(swapped), big_endian=True)

    np.testing.assert_allclose(frobenius_norm(tensor), math.sqrt(204), rtol=1e-12)


def test_layout_does_not_matter():
    values = np.random.default_rng(4).standard_normal((5, 7, 3))
    base = Bytes(values)
    plain = StoredTensor((5, 7, 3), "float64", base)
    permuted = StoredTensor((3, 5, 7), "float64", base, stride=(1, 21, 3))
    sliced = StoredTensor((5, 3, 3), "float64", base, offset=3, stride=(21, 6, 1))
    repeated = StoredTensor((2, 5, 7, 3), "float64", base, stride=(0, 21, 3, 1))

    np.testing.assert_array_equal(array(permuted), values.transpose(2, 0, 1))
    np.testing.assert_array_equal(array(sliced), values[:, 1::2])
    expected = np.linalg.norm(values)
    np.testing.assert_allclose(frobenius_norm(plain), expected, rtol=1e-13)
    np.testing.assert_allclose(frobenius_norm(permuted), expected, rtol=1e-13)
    np.testing.assert_allclose(
        frobenius_norm(sliced), np.linalg.norm(values[:, 1::2]), rtol=1e-13
    )
    np.testing.assert_allclose(
        frobenius_norm(repeated), math.sqrt(2) * expected, rtol=1e-13
    )


def test_complex_numbers_count_as_two_reals():
    assert frobenius_norm(stored(np.array([3 + 4j], np.complex64))) == 5.0


def test_empty_and_zero_have_norm_zero():
    assert frobenius_norm(stored(np.zeros((0, 3)))) == 0.0
    assert frobenius_norm(stored(np.zeros(3))) == 0.0


def test_nan_and_infinity_are_seen_and_counted():
    tensor = stored(np.array([1.0, np.nan, np.inf, -np.inf]))

    assert math.isnan(frobenius_norm(tensor))
    assert count_non_finite(tensor) == (1, 2)
    assert frobenius_norm(stored(np.array([1.0, -np.inf]))) == math.inf


def test_infinity_beside_ordinary_blocks():
    values = np.ones(200_000)
    values[-1] = np.inf

    assert frobenius_norm(stored(values)) == math.inf


def test_blocks_give_every_element_once():
    values = np.arange(200_001, dtype=np.float32)

    total = sum(int(block.astype(np.int64).sum()) for block in blocks(stored(values)))

    assert total == 200_000 * 200_001 // 2


def test_numbers_that_cannot_be_read_are_refused():
    tensor = StoredTensor((2,), "float32", None, unread="a meta tensor has no numbers")

    with pytest.raises(NotApplicable, match="meta tensor"):
        next(floats(tensor))
    with pytest.raises(NotApplicable, match="quint8"):
        numpy_dtype("quint8")
