"""One model is picked from any nesting; two are never merged; nothing gets lost."""

import re
from pathlib import Path

import numpy as np
import pytest

from boundkit.errors import Empty, Refused, UsageError
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

TWO = [
    {"generator": net(), "discriminator": net()},
    {"model": net(), "ema": net()},
    {"state_dict": net(), "state_dict_ema": net()},
    {"student": net(), "teacher": net(), "optimizer": ADAM},
    {"G": {"fc": {"weight": tensor(2, 2)}}, "D": {"fc": {"weight": tensor(2, 2)}}},
    {"netG": net(), "netD": net(), "optimizerG": ADAM},
    {"encoder": net(), "decoder": net()},
    {"model": net(), "head": {"weight": tensor(2, 2), "bias": tensor(2)}},
    [net(), net()],
    {"model1": {"fc": {"weight": tensor(1)}}, "model2": {"fc": {"weight": tensor(1)}}},
    net("generator.") | net("discriminator."),
    {"state_dict": net("model.") | net("model_ema.")},
    {"model": net("module.student.") | net("module.teacher.")},
    net("actor.") | net("critic."),
    {"fc.weight": tensor(2, 2), "ema": net()},
]


@pytest.mark.parametrize("tree", TWO)
def test_two_models_are_listed_and_not_merged(tree):
    with pytest.raises(Refused, match=r"holds 2 models: .*; pick one with --key NAME"):
        picked(tree)


@pytest.mark.parametrize("tree", TWO)
def test_each_listed_key_picks_its_model(tree):
    with pytest.raises(Refused) as caught:
        picked(tree)

    keys = re.findall(r"'([^']*)' \(", caught.value.cause)
    counts = [len(picked(tree, key).tensors) for key in keys]
    assert len(keys) == 2
    assert sum(counts) <= 6
    for key in keys:
        assert picked(tree, key).beside


def test_the_list_has_counts():
    with pytest.raises(Refused) as caught:
        picked({"generator": net(width=3), "discriminator": net()})

    assert "'generator' (3 tensors, 27 parameters)" in str(caught.value)
    assert "'discriminator' (3 tensors, 12 parameters)" in str(caught.value)


def test_a_key_picks_one_and_the_other_goes_beside():
    checkpoint = picked({"generator": net(), "discriminator": net()}, "generator")

    assert list(checkpoint.tensors) == PLAIN
    assert checkpoint.wrapping == ("generator",)
    reasons = {reason for _, reason in checkpoint.beside.values()}
    assert reasons == {"of another model, 'discriminator'"}
    assert len(checkpoint.beside) == 3


def test_a_key_may_be_a_path_or_a_submodule():
    tree = {"a.b": {"model": net(), "ema": net()}, "c": net()}

    assert picked(tree, "a.b.ema").wrapping == ("a.b", "ema")
    assert list(picked(tree, "c.conv1").tensors) == ["weight", "bias"]
    assert list(picked(net(), "conv1").tensors) == ["weight", "bias"]
    assert set(picked(net(), "conv1").beside) == {"fc.weight"}


def test_a_key_that_is_still_ambiguous_is_refused():
    tree = {"a": {"model": net(), "ema": net()}, "b": net()}

    with pytest.raises(Refused, match=r"'a.model'.*'a.ema'"):
        picked(tree, "a")


def test_a_wrong_key_lists_the_right_ones():
    tree = {"generator": net(), "discriminator": net()}

    with pytest.raises(UsageError, match=r"no model under the key 'gen'.*'generator'"):
        picked(tree, "gen")
    with pytest.raises(UsageError, match="there are: none"):
        picked({"optimizer": ADAM}, "gen")


def test_an_alias_of_the_model_is_not_a_second_one():
    state = net()
    checkpoint = picked({"model": state, "state_dict": dict(state)})

    assert list(checkpoint.tensors) == PLAIN
    reasons = {reason for _, reason in checkpoint.beside.values()}
    assert reasons == {"the same tensors as 'model'"}
    assert list(picked({"model": state, "net": state}).tensors) == PLAIN


def test_a_wrapped_alias_is_not_a_second_one():
    state = net()
    wrapped = {f"module.{name}": value for name, value in state.items()}

    assert list(picked({"model": state, "ddp_model": wrapped}).tensors) == PLAIN


def test_tensors_of_the_same_view_are_aliases():
    shared = tensor(2, 2)
    empty = tensor(0)
    tree = {"a.weight": shared, "b.weight": shared, "c.weight": tensor(2, 2)}
    checkpoint = picked(tree | {"e.bias": empty, "f.bias": empty})

    assert dict(checkpoint.aliases) == {"b.weight": "a.weight"}


@pytest.mark.parametrize(
    ("tree", "cause"),
    [
        ({"epoch": 3}, "holds no tensors"),
        ([], "holds no tensors"),
        ({"state_dict": {}, "epoch": 3}, "holds no tensors"),
        (ADAM, "holds optimizer state only, no weights"),
        ({"optimizer": ADAM, "epoch": 1}, "holds optimizer state only, no weights"),
        ({"optim.state.a.exp_avg": tensor(2)}, "holds optimizer state only"),
    ],
)
def test_files_without_weights_are_empty(tree, cause):
    with pytest.raises(Empty, match=cause):
        picked(tree)


@pytest.mark.parametrize("tree", [{}, {"state_dict": {}}, {"model": {"net": {}}}])
def test_a_state_without_entries_is_a_model_without_parameters(tree):
    checkpoint = picked(tree)

    assert dict(checkpoint.tensors) == {}
    assert [n.code for n in checkpoint.notices] == ["empty-state-dict"]


def test_objects_that_need_code_are_refused_and_named():
    tree = {"model": Opaque("my.package.Net", (1, 2)), "os": Opaque("posix.system")}

    with pytest.raises(Refused, match=r"'my.package.Net', 'posix.system'; .*--trust"):
        picked(tree)


def test_objects_beside_the_weights_are_said():
    notices = picked({"model": net(), "x": Opaque("posix.system", ("ls",))}).notices

    assert [n.code for n in notices] == ["not-imported"]
    assert "'posix.system'" in notices[0].message


def test_metadata_are_the_scalars_beside_the_weights():
    tree = {
        "state_dict": net(),
        **EPOCH,
        "hyper_parameters": {"lr": 0.1},
        "lr_schedulers": [{"last_epoch": 4}],
        "note": "x" * 1000,
        "nothing": None,
    }

    assert picked(tree).metadata == {
        "epoch": 3,
        "loss": 0.25,
        "hyper_parameters.lr": 0.1,
    }


def test_metadata_of_safetensors_keep_their_names():
    assert picked(net() | {"__metadata__": {"format": "pt"}}).metadata == {
        "format": "pt"
    }


def test_metadata_are_few():
    assert len(picked(net() | {str(i): i for i in range(1000)}).metadata) == 50


def test_modules_lose_the_models_path_and_prefixes():
    modules = {
        "model": {"class": "DDP"},
        "model.module": {"class": "Net"},
        "model.module.conv1": {"stride": (2, 2)},
        "other": {"class": "Other"},
    }
    checkpoint = picked({"model": net("module."), "other": 1}, modules=modules)

    assert checkpoint.modules["conv1"] == {"stride": (2, 2)}
    assert checkpoint.modules[""] == {"class": "Net"}
    assert "other" not in checkpoint.modules


def test_bytes_are_those_of_the_files(tmp_path):
    (tmp_path / "a").write_bytes(bytes(10))
    contents = Contents("test", net(), (tmp_path / "a", tmp_path / "a"))

    assert select(contents, "a").nbytes == 20
    assert picked(net()).nbytes == 48
    assert isinstance(contents.files[0], Path)


def test_tens_of_thousands_of_tensors_are_picked():
    one = tensor(1)
    tree = {f"layer{i}.weight": one for i in range(30_000)}

    assert len(picked({"module": tree, "optimizer": ADAM}).tensors) == 30_000
