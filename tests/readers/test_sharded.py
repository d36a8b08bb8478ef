"""An index and its shards are one model, and must agree."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from boundkit.errors import Refused, Unreadable
from boundkit.numerics.blocks import array
from boundkit.readers import read, sharded

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
A = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}
B = {"b.weight": np.ones((2, 2), np.float16), "b.bias": np.zeros(2, np.float16)}


def write(folder, weight_map=None, shards=None):
    weights = dict.fromkeys(A, SHARDS[0]) | dict.fromkeys(B, SHARDS[1])
    for name, tensors in (shards or {SHARDS[0]: A, SHARDS[1]: B}).items():
        save_file(tensors, folder / name)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map or weights}))
    return index


def test_shards_are_read_as_one(tmp_path):
    index = write(tmp_path)

    checkpoint = read(index)

    assert checkpoint.format == "safetensors, 2 shards"
    assert list(checkpoint.tensors) == ["a.weight", "b.weight", "b.bias"]
    assert [path.name for path in checkpoint.files] == [index.name, *SHARDS]
    for name, expected in (A | B).items():
        np.testing.assert_array_equal(array(checkpoint.tensors[name]), expected)
    assert list(read(tmp_path).tensors) == list(checkpoint.tensors)


def test_shards_of_torch_files(tmp_path):
    for name, tensors in zip(("1.bin", "2.bin"), (A, B), strict=True):
        state = {n: torch.from_numpy(t) for n, t in tensors.items()}
        torch.save(state, tmp_path / name)
    index = tmp_path / "pytorch_model.bin.index.json"
    weights = dict.fromkeys(A, "1.bin") | dict.fromkeys(B, "2.bin")
    index.write_text(json.dumps({"weight_map": weights}))

    checkpoint = read(index)

    assert checkpoint.format == "torch zip, 2 shards"
    np.testing.assert_array_equal(array(checkpoint.tensors["a.weight"]), A["a.weight"])


def test_one_shard_alone_says_so(tmp_path):
    index = write(tmp_path)

    checkpoint = read(tmp_path / SHARDS[1])

    assert set(checkpoint.tensors) == set(B)
    assert [n.code for n in checkpoint.notices] == ["one-shard"]
    assert f"one of 2 shards; analyze '{index.name}'" in checkpoint.notices[0].message
    index.unlink()
    assert read(tmp_path / SHARDS[1]).notices[0].message == "this is one of 2 shards"


def test_a_missing_shard_is_named(tmp_path):
    index = write(tmp_path)
    (tmp_path / SHARDS[0]).unlink()

    with pytest.raises(
        Unreadable, match=f"1 of its 2 shards are missing: '{SHARDS[0]}'"
    ):
        read(index)


@pytest.mark.parametrize(
    "name",
    ["../x.safetensors", "/etc/passwd", "a/../../x", "C:\\x", "..\\x", "", "a\0b"],
)
def test_shards_elsewhere_are_refused(tmp_path, name):
    index = write(tmp_path, {"a.weight": name})

    with pytest.raises(Refused, match="lies outside the folder of the index"):
        read(index)


def test_links_that_lead_elsewhere_are_refused(tmp_path):
    outside, folder = tmp_path / "secret", tmp_path / "hub"
    outside.write_bytes(b"secret")
    folder.mkdir()
    index = write(folder)
    (folder / SHARDS[0]).unlink()
    (folder / SHARDS[0]).symlink_to(outside)

    with pytest.raises(Refused, match="lies outside the folder of the index"):
        read(index)


def test_a_link_to_itself_is_refused_or_missing(tmp_path):
    index = write(tmp_path)
    (tmp_path / SHARDS[0]).unlink()
    (tmp_path / SHARDS[0]).symlink_to(SHARDS[0])

    with pytest.raises((Refused, Unreadable), match=r"lies outside|are missing"):
        read(index)


def test_tensors_that_the_shard_lacks_are_named(tmp_path):
    index = write(tmp_path, {"a.weight": SHARDS[0], "c.weight": SHARDS[0]})

    with pytest.raises(
        Unreadable, match=r"puts 'c.weight' in shard .*, which lacks it"
    ):
        read(index)


def test_tensors_that_the_index_lacks_are_named(tmp_path):
    index = write(tmp_path, {"a.weight": SHARDS[0], "b.weight": SHARDS[1]})

    with pytest.raises(
        Unreadable, match=r"holds 'b.bias', which the index does not name"
    ):
        read(index)


def test_tensors_in_two_shards_are_named(tmp_path):
    index = write(tmp_path, shards={SHARDS[0]: A | B, SHARDS[1]: B})

    with pytest.raises(Unreadable, match=r"tensor .b.bias. is in two shards"):
        read(index)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{}", "has no weight_map"),
        ('{"weight_map": {}}', "has no weight_map"),
        ('{"weight_map": {"a": 1}}', "names no file for tensor 'a'"),
        ('{"weight_map": {"a": "x", "a": "y"}}', "duplicate key 'a'"),
        ("<html>", "not valid JSON"),
    ],
)
def test_an_index_that_is_none_is_unreadable(tmp_path, text, cause):
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(text)

    with pytest.raises(Unreadable, match=cause):
        read(index)


def test_an_endless_index_is_unreadable(tmp_path, monkeypatch):
    monkeypatch.setattr(sharded, "LONGEST_INDEX", 10)

    with pytest.raises(Unreadable, match="bytes is not one"):
        read(write(tmp_path))


def test_a_shard_of_another_kind_is_unreadable(tmp_path):
    index = write(tmp_path)
    (tmp_path / SHARDS[0]).rename(tmp_path / "x.bin")
    index.write_text(json.dumps({"weight_map": {"a.weight": "x.bin"}}))
    (tmp_path / "x.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")

    with pytest.raises(Unreadable, match="neither a safetensors nor a torch file"):
        read(index)
