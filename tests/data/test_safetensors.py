"""safetensors files as data sets."""

import pytest
import torch
from safetensors.torch import save_file

from boundkit.data import open_data
from boundkit.errors import DataError


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.uint8])
def test_tensors_come_back(tmp_path, dtype):
    x = torch.arange(24).reshape(4, 2, 3).to(dtype)
    save_file({"x": x, "y": torch.tensor([1, -1, 1, 1])}, tmp_path / "d.safetensors")

    samples = open_data(tmp_path / "d.safetensors")
    batches = list(samples.batches(3))

    assert (samples.n, samples.shape) == (4, (2, 3))
    assert [len(b) for b, _ in batches] == [3, 1]
    assert torch.equal(torch.cat([b for b, _ in batches]), x.float())


def test_a_file_without_labels_is_refused(tmp_path):
    save_file({"x": torch.zeros(2, 2)}, tmp_path / "d.safetensors")

    with pytest.raises(DataError, match="no tensors x and y to read"):
        open_data(tmp_path / "d.safetensors")


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "d.safetensors").write_bytes(b"\xff" * 100)

    with pytest.raises(DataError, match=r"d\.safetensors: no tensors x and y to read"):
        open_data(tmp_path / "d.safetensors")
