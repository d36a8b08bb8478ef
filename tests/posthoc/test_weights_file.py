"""Weights that are there in full or not at all."""

import os

import pytest
import torch
from safetensors.torch import load_file

from boundkit.errors import UsageError
from boundkit.posthoc.weights_file import require_place, write_weights, write_whole


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.safetensors"])
def test_weights_come_back(tmp_path, name):
    state = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor(1)}

    digest = write_weights(tmp_path / name, state)
    path = tmp_path / name
    read = torch.load(path, weights_only=True) if "pt" in name else load_file(path)

    assert len(digest) == 64
    assert read.keys() == state.keys()
    assert all(torch.equal(read[key], state[key]) for key in state)
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "w.pt").mkdir()

    with pytest.raises(UsageError, match="it is a folder; name a file"):
        require_place(tmp_path / "w.pt", None)


def test_another_ending(tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.pt, \.pth, \.safetensors"):
        require_place(tmp_path / "w.bin", None)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="its folder does not exist; make it first"):
        require_place(tmp_path / "no" / "w.pt", None)


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    # Root may write everywhere, so the system's answer is made up.
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(UsageError, match="may not be written; choose another place"):
        require_place(tmp_path / "w.pt", None)


def test_the_checkpoint_itself(tmp_path):
    (tmp_path / "w.pt").write_bytes(b"weights")

    with pytest.raises(UsageError, match="it is the checkpoint itself"):
        require_place(tmp_path / "w.pt", str(tmp_path / "w.pt"))


def test_a_full_disk_leaves_the_former_file(tmp_path, monkeypatch):
    (tmp_path / "w.json").write_bytes(b"former")

    def full(descriptor, mode):
        os.close(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(UsageError, match="No space left on device; choose another"):
        write_whole(tmp_path / "w.json", b"new")

    assert (tmp_path / "w.json").read_bytes() == b"former"
    assert [one.name for one in tmp_path.iterdir()] == ["w.json"]
