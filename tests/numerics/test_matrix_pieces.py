"""Pieces of filter matrices: every number once, converted, scaled."""

import ml_dtypes
import numpy as np
import pytest

from boundkit.errors import NotApplicable
from boundkit.numerics.matrix_pieces import (
    column_pieces,
    filter_view,
    row_pieces,
    stored_array,
)
from boundkit.readers.storage import ArrayStorage
from boundkit.types import Layer, StoredTensor


def tensor(values, **more):
    name = str(values.dtype).removeprefix(">").replace("<", "")
    return StoredTensor(values.shape, name, ArrayStorage(values), **more)


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float32, np.float16, ml_dtypes.bfloat16]
)
def test_plain_weights_are_not_copied(dtype):
    values = np.arange(24).reshape(4, 3, 2).astype(dtype)
    seen = filter_view(Layer("w", "conv1d", tensor(values)))

    assert np.shares_memory(seen, values)
    np.testing.assert_array_equal(
        seen.astype(float), values.reshape(4, 6).astype(float)
    )


def test_offsets_and_strides():
    values = np.arange(30.0)
    shifted = StoredTensor((2, 3), "float64", ArrayStorage(values), offset=4)
    turned = StoredTensor((3, 2), "float64", ArrayStorage(values), 4, stride=(1, 3))

    np.testing.assert_array_equal(stored_array(shifted), values[4:10].reshape(2, 3))
    np.testing.assert_array_equal(stored_array(turned), values[4:10].reshape(2, 3).T)


def test_outputs_of_a_transposed_convolution_come_first():
    values = np.arange(60.0).reshape(3, 5, 2, 2)
    seen = filter_view(Layer("w", "conv_transpose2d", tensor(values)))

    np.testing.assert_array_equal(seen, values.transpose(1, 0, 2, 3).reshape(5, 12))


def test_empty_and_missing_numbers():
    with pytest.raises(NotApplicable, match="empty"):
        filter_view(Layer("w", "linear", tensor(np.zeros((0, 3)))))
    missing = StoredTensor((2, 2), "float32", None, unread="on the meta device")
    with pytest.raises(NotApplicable, match="on the meta device"):
        filter_view(Layer("w", "linear", missing))


@pytest.mark.parametrize("shape", [(6, 50), (50, 6)])
@pytest.mark.parametrize("exponent", [0, 3])
def test_pieces_are_the_whole(shape, exponent, monkeypatch):
    monkeypatch.setattr("boundkit.numerics.matrix_pieces._PIECE", 60)
    monkeypatch.setattr(
        "boundkit.numerics.matrix_pieces._CACHED", {np.float64: 100, np.float32: 200}
    )
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    scaled = values.astype(float) / 2**exponent
    wide = scaled if shape[0] < shape[1] else scaled.T

    pieces = list(column_pieces(values, exponent)())
    assert len(pieces) == 5
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), wide)
    assert {p.flags.f_contiguous for p in pieces} == {shape[0] > shape[1]}
    for dtype in (np.float64, np.float32):
        rows = [row.copy() for row in row_pieces(values, exponent)(dtype)]
        assert len(rows) > 1
        assert all(row.dtype == dtype for row in rows)
        np.testing.assert_array_equal(np.concatenate(rows), scaled)
