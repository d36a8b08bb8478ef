"""A folder with one checkpoint is that checkpoint; with several it is a list."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from boundkit.errors import Empty, Refused, Unreadable
from boundkit.readers import read

WEIGHTS = {"fc.weight": np.ones((2, 3), np.float32)}


def fill(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".safetensors"):
            save_file(WEIGHTS, folder / name)
        elif name.endswith((".bin", ".pt", ".pth")):
            state = {n: torch.from_numpy(t) for n, t in WEIGHTS.items()}
            torch.save(state, folder / name)
        else:
            (folder / name).write_text("{}")
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ["config.json", "model.safetensors"],
        ["config.json", "pytorch_model.bin", "training_args.json"],
        ["config.json", "diffusion_pytorch_model.safetensors"],
        ["adapter_config.json", "adapter_model.safetensors"],
        ["README.md", "whatever.pt"],
        ["model.safetensors", "tf_model.h5", "flax_model.msgpack", "other.pt"],
    ],
)
def test_the_checkpoint_is_found(tmp_path, names):
    checkpoint = read(fill(tmp_path, *names))

    assert list(checkpoint.tensors) == ["fc.weight"]
    assert checkpoint.source == str(tmp_path)


def test_safetensors_are_preferred_and_the_other_file_named(tmp_path):
    checkpoint = read(fill(tmp_path, "model.safetensors", "pytorch_model.bin"))

    assert checkpoint.format == "safetensors"
    assert [n.code for n in checkpoint.notices] == ["also-present"]
    assert "'pytorch_model.bin' beside 'model.safetensors'" in (
        checkpoint.notices[0].message
    )


def test_a_trainers_state_is_named_and_not_read(tmp_path):
    checkpoint = read(fill(tmp_path, "last.pt", "optimizer.pt", "rng_state_0.pth"))

    assert list(checkpoint.tensors) == ["fc.weight"]
    assert "'optimizer.pt', 'rng_state_0.pth'" in checkpoint.notices[0].message


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        (["a.pt", "b.pth"], "holds 2 checkpoints: 'a.pt', 'b.pth'"),
        (["model.safetensors", "adapter_model.safetensors"], "holds 2 checkpoints"),
        (["a.index.json", "b.index.json"], "holds 2 checkpoints"),
        (["model.safetensors", "model.safetensors.index.json"], "holds 2 checkpoints"),
        (
            ["unet/model.safetensors", "vae/model.safetensors"],
            "its folders 'unet', 'vae'",
        ),
        (["saved_model.pb"], "holds a TensorFlow SavedModel"),
        (["tf_model.h5", "config.json"], "holds a Keras model"),
    ],
)
def test_what_is_not_one_checkpoint_is_refused_and_listed(tmp_path, names, listed):
    with pytest.raises(Refused, match=listed):
        read(fill(tmp_path, *names))


@pytest.mark.parametrize(
    ("names", "cause"),
    [
        ([], "holds no checkpoint file"),
        (["README.md"], "holds no checkpoint file"),
        (["optimizer.pt"], "holds optimizer state only"),
    ],
)
def test_a_folder_without_a_checkpoint_is_empty(tmp_path, names, cause):
    with pytest.raises(Empty, match=cause):
        read(fill(tmp_path, *names))


def test_a_folder_that_cannot_be_listed_is_unreadable(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    fill(tmp_path, "model.safetensors")
    monkeypatch.setattr("pathlib.Path.iterdir", refuse)

    with pytest.raises(Unreadable, match="cannot be listed"):
        read(tmp_path)


def cache(root, *revisions):
    home = root / "models--org--net"
    for revision in revisions:
        blobs, snapshot = home / "blobs", home / "snapshots" / revision
        blobs.mkdir(parents=True, exist_ok=True)
        snapshot.mkdir(parents=True)
        save_file(WEIGHTS, blobs / f"blob-of-{revision}")
        link = snapshot / "model.safetensors"
        link.symlink_to(f"../../blobs/blob-of-{revision}")
    return home


def test_the_hubs_cache_is_followed_through_its_links(tmp_path):
    home = cache(tmp_path, "abc")

    assert list(read(home).tensors) == ["fc.weight"]
    assert list(read(home / "snapshots" / "abc").tensors) == ["fc.weight"]


def test_shards_in_the_cache_may_be_links_to_its_blobs(tmp_path):
    snapshot = cache(tmp_path, "abc") / "snapshots" / "abc"
    (snapshot / "model.safetensors").rename(snapshot / "s.safetensors")
    text = '{"weight_map": {"fc.weight": "s.safetensors"}}'
    (snapshot / "model.safetensors.index.json").write_text(text)

    assert read(snapshot).format == "safetensors, 1 shard"


def test_the_main_revision_wins_and_otherwise_several_are_refused(tmp_path):
    home = cache(tmp_path, "abc", "def")

    with pytest.raises(Refused, match="holds 2 snapshots: 'abc', 'def'"):
        read(home)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("def\n")
    assert read(home).files[0].parent.name == "def"
