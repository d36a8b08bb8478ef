"""The weights are found in any nesting, and every other tensor gets a reason."""

import numpy as np
import pytest

from boundkit.readers.contents import Contents, Opaque
from boundkit.readers.selection import select
from boundkit.readers.storage import ArrayStorage
from boundkit.types import StoredTensor


def tensor(*shape, dtype="float32"):
    return StoredTensor(shape, dtype, ArrayStorage(np.zeros(shape, dtype)))


def net(prefix="", width=2):
    names = ("conv1.weight", "conv1.bias", "fc.weight")
    return {f"{prefix}{name}": tensor(width, width) for name in names}


def picked(tree, key=None, **fields):
    return select(Contents("test", tree, (), **fields), "x.pt", key)


PLAIN = ["conv1.weight", "conv1.bias", "fc.weight"]
ADAM = {
    "state": {0: {"exp_avg": tensor(2, 2), "step": tensor()}},
    "param_groups": [{"lr": 0.1, "params": [0]}],
}
EPOCH = {"epoch": 3, "loss": 0.25}


@pytest.mark.parametrize(
    ("tree", "wrapping"),
    [
        (net(), ()),
        *(
            ({key: net(), **EPOCH, "optimizer": ADAM}, (key,))
            for key in (
                "state_dict", "model", "model_state", "model_state_dict", "net",
                "network", "params", "ema", "weights", "module", "anything",
            )
        ),
        ({"checkpoint": {"model": net(), "optimizer": ADAM}}, ("checkpoint", "model")),
        ({"model": net("module."), "opt": ADAM}, ("model", "module.")),
        ({"model": net("_orig_mod.module.")}, ("model", "_orig_mod.", "module.")),
        ((net(), ADAM, 7), ("0",)),
        ([7, net()], ("1",)),
        (
            {"state_dict": net("model."), "pytorch-lightning_version": "2", "loops": {}},
            ("state_dict", "model."),
        ),
        (
            {"state_dict": net("model.module."), "callbacks": {"a": {"t": tensor(2)}}},
            ("state_dict", "model.", "module."),
        ),
        (Opaque("my.Agent", (), {"net": net(), "optim": ADAM}), ("net",)),
        (Opaque("my.Dict", (), None, net()), ()),
        ({"model": None, "ema": net(), "updates": 3}, ("ema",)),
        ({"scaler": {"scale": tensor(1)}, "state_dict": net()}, ("state_dict",)),
        ({"state_dict": net(), "losses": [tensor()], "mean": tensor(3)}, ("state_dict",)),
        ([("conv1.weight", tensor(2, 2)), ("conv1.bias", tensor(2, 2)),
          ("fc.weight", tensor(2, 2))], ()),
    ],
)  # fmt: skip
def test_the_weights_are_found(tree, wrapping):
    checkpoint = picked(tree)

    assert list(checkpoint.tensors) == PLAIN
    assert checkpoint.wrapping == wrapping


def test_layers_in_nested_dictionaries_are_joined():
    tree = {
        "conv1": {"weight": tensor(2, 2), "bias": tensor(2)},
        "block": {"fc": {"weight": tensor(2, 2)}, "list": [{"w": tensor(1)}]},
        "epoch": 3,
    }
    checkpoint = picked(tree)

    expected = ["conv1.weight", "conv1.bias", "block.fc.weight", "block.list.0.w"]
    assert list(checkpoint.tensors) == expected
    assert picked({"params": tree}).wrapping == ("params",)
    assert list(picked({"params": tree}).tensors) == expected


def test_a_layer_called_scheduler_is_a_layer():
    layer = {"weight": tensor(2, 2), "bias": tensor(2)}

    assert len(picked({"scheduler": layer, "fc": layer}).tensors) == 2
    assert len(picked({"scheduler": layer, "fc": dict(layer)}).tensors) == 4


def test_every_tensor_of_the_file_has_a_row():
    tree = {
        "model": net(),
        "optimizer": ADAM,
        "history": [tensor(), tensor()],
        "class_weights": tensor(3),
        "rng_state": tensor(8, dtype="uint8"),
    }
    checkpoint = picked(tree)

    assert {name: reason for name, (_, reason) in checkpoint.beside.items()} == {
        "optimizer.state.0.exp_avg": "optimizer state",
        "optimizer.state.0.step": "optimizer state",
        "history.0": "beside the weights, not one of them",
        "history.1": "beside the weights, not one of them",
        "class_weights": "beside the weights, not one of them",
        "rng_state": "beside the weights, not one of them",
    }
    assert not [n for n in checkpoint.notices if n.code == "odd-key"]


def test_optimizer_names_in_a_flat_state_go_beside():
    flat = net("model.") | {
        "optimizer.state.conv1.weight.exp_avg": tensor(2, 2),
        "optimizer.state.conv1.weight.step": tensor(),
    }
    checkpoint = picked(flat)

    assert len(checkpoint.tensors) == 3
    reasons = {reason for _, reason in checkpoint.beside.values()}
    assert reasons == {"optimizer state"}
