"""numpy archives: streamed, preprocessed as declared, damage named."""

import io
import re
import zipfile

import numpy as np
import pytest
import torch

from boundkit.data import open_data
from boundkit.errors import DataError


def _joined(samples, size=3):
    batches = list(samples.batches(size))
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", ">i4", "f2"])
def test_arrays_come_back(tmp_path, save, order, dtype):
    x = np.asarray(np.arange(84).reshape(7, 3, 4), dtype, order=order)
    save(tmp_path / "d.npz", x=x, y=np.arange(7, dtype=np.int8))

    samples = open_data(str(tmp_path / "d.npz"))
    found, labels = _joined(samples)

    assert (samples.n, samples.shape, samples.preprocessing) == (7, (3, 4), ())
    np.testing.assert_array_equal(found.numpy(), x.astype("f8"))
    assert labels.tolist() == list(range(7))


def test_declared_preprocessing_is_unit_norm_then_center(tmp_path):
    x = np.array([[3, 4], [0, 0], [0, 7]], np.uint8)
    center = np.array([0.5, 0.25], np.float32)
    np.savez(tmp_path / "d.npz", x=x, y=[0, 1, 0], normalize="unit", center=center)

    samples = open_data(tmp_path / "d.npz")
    found, _ = _joined(samples)

    expected = [[0.6 - 0.5, 0.8 - 0.25], [-0.5, -0.25], [-0.5, 0.75]]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
    assert samples.preprocessing == ("unit norm", "center subtracted")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"x": np.ones((2, 2))}, "has no array y (it has ['x'])"),
        ({"y": [0]}, "has no array x"),
        ({"x": np.ones((0, 2)), "y": np.zeros(0)}, "no samples in it"),
        ({"x": np.ones((2, 2)), "y": np.eye(2)}, "looks one-hot"),
        ({"x": np.ones((2, 2)), "y": [0, 1, 1]}, "x has 2 samples but y has 3 labels"),
        ({"x": np.ones((1, 2)), "y": [0], "normalize": "l1"}, "normalize is 'l1'"),
        ({"x": np.ones((1, 2)), "y": [0], "center": [1]}, "center has shape (1,)"),
        (
            {"x": np.ones((1, 2)), "y": [0], "center": [1.0, np.nan]},
            "center: x[0] holds NaN",
        ),
        ({"x": np.array([["a"]]), "y": [0]}, "x is not an array of numbers"),
        ({"x": np.array([[None]]), "y": [0]}, "x holds Python objects, which would"),
    ],
)
def test_archives_that_do_not_fit_are_refused(tmp_path, entries, message):
    np.savez(tmp_path / "d.npz", **entries)

    with pytest.raises(DataError, match=re.escape(message)):
        list(open_data(tmp_path / "d.npz").batches(2))


def _damaged(tmp_path, change):
    np.savez(tmp_path / "d.npz", x=np.ones((50, 20), np.float32), y=np.zeros(50))
    data = bytearray((tmp_path / "d.npz").read_bytes())
    (tmp_path / "d.npz").write_bytes(change(data))
    return tmp_path / "d.npz"


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"not a zip archive",
        lambda data: b"",
        # A flipped bit in the numbers of x shows in the checksum.
        lambda data: data[:2000] + bytes([data[2000] ^ 1]) + data[2001:],
    ],
)
def test_damaged_archives_are_named(tmp_path, change):
    path = _damaged(tmp_path, change)

    with pytest.raises(DataError, match=re.escape(f"{path}: not a readable numpy")):
        list(open_data(path).batches(10))


def test_an_array_shorter_than_its_header_says_is_named(tmp_path):
    whole = io.BytesIO()
    np.save(whole, np.ones((50, 20), np.float32))
    labels = io.BytesIO()
    np.save(labels, np.zeros(50))
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("x.npy", whole.getvalue()[:-400])
        archive.writestr("y.npy", labels.getvalue())

    with pytest.raises(DataError, match="an array ends early"):
        list(open_data(tmp_path / "d.npz").batches(10))
