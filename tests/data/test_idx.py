"""Folders of IDX files."""

import gzip
import re
import struct

import numpy as np
import pytest
import torch

from boundkit.data import open_data
from boundkit.errors import DataError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def _idx(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def _folder(path, part="train", dash="-", pack=False, images=IMAGES, labels=(7, 2)):
    data = {
        f"{part}-images{dash}idx3-ubyte": _idx(images),
        f"{part}-labels{dash}idx1-ubyte": _idx(np.array(labels, np.uint8)),
    }
    for name, content in data.items():
        if pack:
            (path / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (path / name).write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [True, False])
@pytest.mark.parametrize("dash", ["-", "."])
def test_pixels_are_divided_by_255_and_have_one_channel(tmp_path, pack, dash):
    samples = open_data(str(_folder(tmp_path, dash=dash, pack=pack)))
    x = torch.cat([x for x, _ in samples.batches(1)])

    assert (samples.n, samples.shape) == (2, (1, 3, 4))
    assert samples.preprocessing == ("pixels divided by 255",)
    np.testing.assert_allclose(x.numpy()[:, 0], IMAGES / 255, rtol=1e-6)
    assert [y.tolist() for _, y in samples.batches(2)] == [[7, 2]]


def test_the_suffix_picks_the_part_and_the_hint_where_there_is_none(tmp_path):
    _folder(tmp_path)
    _folder(tmp_path, part="t10k", images=IMAGES[:1], labels=(5,))

    assert open_data(f"{tmp_path}:test").n == 1
    assert open_data(f"{tmp_path}:train").n == 2
    assert open_data(tmp_path, "test").n == 1
    assert open_data(tmp_path).name == f"{tmp_path}:train"


def test_a_missing_part_is_named(tmp_path):
    message = "no test images file such as test-images-idx3-ubyte; keep exactly one"
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(f"{_folder(tmp_path)}:test")


def test_two_data_sets_in_one_folder_are_not_mixed(tmp_path):
    _folder(tmp_path)
    _folder(tmp_path, part="emnist-train")

    with pytest.raises(DataError, match="several train images files"):
        open_data(tmp_path)


def test_a_file_beside_its_compressed_copy_is_one_file(tmp_path):
    _folder(_folder(tmp_path), pack=True)

    assert open_data(tmp_path).n == 2


@pytest.mark.parametrize("pack", [True, False])
def test_a_truncated_file_is_named(tmp_path, pack):
    path = _folder(tmp_path, pack=pack) / f"train-images-idx3-ubyte{'.gz' * pack}"
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(DataError, match=re.escape(f"{path}: not a readable IDX file")):
        list(open_data(tmp_path).batches(2))


def test_a_file_of_another_kind_is_named(tmp_path):
    path = _folder(tmp_path) / "train-images-idx3-ubyte"
    path.write_bytes(b"<!DOCTYPE html>")

    with pytest.raises(DataError, match="does not start like an IDX file of bytes"):
        open_data(tmp_path)
