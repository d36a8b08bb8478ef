import pytest

from boundkit.errors import Unreadable
from boundkit.sweeping import folder as module
from boundkit.sweeping.folder import (
    checkpoints_among,
    checkpoints_below,
    is_checkpoint_name,
)

FILES = (
    "run/epoch_2.pt",
    "run/epoch_10.pt",
    "run/optimizer.pt",
    "run/log.txt",
    "run/.hidden/x.pt",
    "run/old.pth.tar",
    "hub/config.json",
    "hub/model.safetensors",
    "sharded/model.safetensors.index.json",
    "sharded/model-00001-of-00002.safetensors",
    "sharded/model-00002-of-00002.safetensors",
    "dcp/.metadata",
    "dcp/__0_0.distcp",
    "ranks/shard-00000-model-00001-of-00001.safetensors",
    "results/sweep.json",
    "results/kept.pt",
)
FOUND = [
    "dcp",
    "hub",
    "ranks",
    "run/epoch_2.pt",
    "run/epoch_10.pt",
    "run/old.pth.tar",
    "sharded",
]


def test_files_and_folders_that_are_checkpoints_are_found(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert checkpoints_below(tmp_path) == [f"{tmp_path}/{name}" for name in FOUND]


def test_listings_from_elsewhere_are_read_alike():
    files = [f"b/{name}" for name in FILES if not name.startswith(("results", "run/."))]

    assert checkpoints_among(files) == [f"b/{name}" for name in FOUND]


def test_a_folder_that_is_one_checkpoint_is_named_itself(tmp_path):
    (tmp_path / "config.json").touch()
    (tmp_path / "pytorch_model.bin").touch()

    assert checkpoints_below(tmp_path) == [str(tmp_path)]


def test_a_folder_that_may_not_be_listed_is_said(tmp_path, monkeypatch):
    def walk(place, onerror):
        onerror(PermissionError(13, "Permission denied", str(place)))
        return iter(())

    monkeypatch.setattr(module.os, "walk", walk)
    with pytest.raises(Unreadable, match=r"cannot be listed \(Permission denied\)"):
        checkpoints_below(tmp_path)


@pytest.mark.parametrize("name", ["a.PT", "x/b.ckpt", "c.pth.tar", "d.safetensors"])
def test_names_of_checkpoints(name):
    assert is_checkpoint_name(name)


@pytest.mark.parametrize("name", ["a.tar", "b.json", "scheduler.pt", ".pt", "npz"])
def test_names_of_other_files(name):
    assert not is_checkpoint_name(name)
