"""A file is opened by its first bytes, not by its name."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from boundkit.errors import Refused
from boundkit.readers.containers import FILES, open_file


def test_the_name_does_not_matter(tmp_path):
    save_file({"w": np.ones(3)}, tmp_path / "a.pt")
    torch.save({"w": torch.ones(3)}, tmp_path / "b.safetensors")
    torch.save(
        {"w": torch.ones(3)},
        tmp_path / "c.ckpt",
        _use_new_zipfile_serialization=False,
    )
    shutil.copy(tmp_path / "a.pt", tmp_path / "none")

    formats = [open_file(path).format for path in sorted(tmp_path.iterdir())]
    assert formats == ["safetensors", "torch zip", "torch legacy", "safetensors"]


def test_special_archives_are_asked_before_general_ones():
    names = [reader.NAME for reader in FILES]

    assert names.index("torch zip") > names.index("torchscript")


@pytest.mark.parametrize("name", ["x.safetensors", "x.pt", "x.bin"])
def test_a_pointer_in_the_place_of_a_file_says_what_to_do(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n")

    with pytest.raises(Refused, match=r"git-lfs pointer.*git lfs pull"):
        open_file(path)


@pytest.mark.parametrize("text", ["<!DOCTYPE html><html>", '{"error": "not found"}'])
def test_a_page_in_the_place_of_a_file_is_refused(tmp_path, text):
    path = tmp_path / "x.safetensors"
    path.write_text(text * 10)

    with pytest.raises(Refused):
        open_file(path)
