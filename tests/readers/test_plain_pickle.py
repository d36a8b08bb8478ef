"""Pickles that no torch.save made give their tensors and arrays."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.errors import Unreadable
from boundkit.readers import plain_pickle


def values(found):
    raw = bytes(found.storage.read(0, found.storage.nbytes))
    return np.frombuffer(raw, found.dtype)[found.offset :][: found.numel]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_tensors_and_arrays_are_read(tmp_path, protocol):
    path = tmp_path / "t.pkl"
    tree = {"t": torch.arange(3.0), "a": np.arange(4, dtype="i2")}
    path.write_bytes(pickle.dumps(tree, protocol))

    found = plain_pickle.read(path).tree

    assert plain_pickle.recognizes(path, path.read_bytes()[:4096])
    np.testing.assert_array_equal(values(found["t"]), [0, 1, 2])
    np.testing.assert_array_equal(values(found["a"]), [0, 1, 2, 3])


def test_a_module_unfolds_and_bytes_behind_are_said(tmp_path):
    path = tmp_path / "t.pkl"
    path.write_bytes(pickle.dumps(nn.Linear(2, 1)) + b"behind")

    found = plain_pickle.read(path)

    assert list(found.tree) == ["weight", "bias"]
    assert found.notices[0].code == "trailing-bytes"


def test_damaged_tensor_bytes_are_unreadable(tmp_path):
    path = tmp_path / "t.pkl"
    data = pickle.dumps(torch.arange(3.0))
    path.write_bytes(
        data.replace(b"little_endian", b"little\xff\xff\xff\xff\xff\xff\xff")
    )

    with pytest.raises(Unreadable, match="its pickle cannot be read"):
        plain_pickle.read(path)
