from dataclasses import replace
from types import MappingProxyType

import pytest
import torch
from torch import nn

from boundkit import readers
from boundkit.errors import NotApplicable
from boundkit.layers.model_spec import fit
from boundkit.layers.stored_module import input_shape_of, stored_module
from tests.normalize.nets import random_net


class Custom(nn.Module):
    """A class whose forward stands in code."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(x)


def _saved(module, path, script=False):
    if script:
        torch.jit.script(module).save(path)
    else:
        torch.save(module, path)
    return readers.read(path)


@pytest.mark.parametrize("script", [False, True])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_sequential_is_put_together_again(seed, script, tmp_path):
    module, shape = random_net(seed)
    checkpoint = _saved(module, tmp_path / "net.pt", script)
    x = torch.randn(2, *shape)

    again = fit(stored_module(checkpoint), checkpoint)

    assert torch.equal(again(x), module(x))


def test_sequentials_in_sequentials_are_put_together(tmp_path):
    inner = nn.Sequential(nn.Linear(3, 4, bias=False), nn.LeakyReLU(0.3))
    module = nn.Sequential(inner, nn.Flatten(), nn.Linear(4, 2)).eval()
    checkpoint = _saved(module, tmp_path / "net.pt")
    x = torch.randn(2, 3)

    assert torch.equal(fit(stored_module(checkpoint), checkpoint)(x), module(x))


def _hooked():
    net = nn.Sequential(nn.Linear(3, 3))
    net[0].register_forward_hook(print)
    return net


def _own_forward():
    net = nn.Sequential(nn.Linear(3, 3))
    net[0].forward = torch.abs
    return net


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (Custom(), "'Custom' applies its layers stands in its code"),
        (nn.Sequential(Custom()), r"what '0' \('Custom'\) does stands in its code"),
        (nn.Sequential(nn.Linear(2, 2), nn.GELU()), "'GELU'"),
        (_hooked(), "'0' has hooks or a forward of its own"),
        (_own_forward(), "'0' has hooks or a forward of its own"),
    ],
)
def test_what_stands_in_code_is_not_guessed(module, reason, tmp_path):
    checkpoint = _saved(module, tmp_path / "net.pt")

    with pytest.raises(NotApplicable, match=reason):
        stored_module(checkpoint)


def _doubled(self, x: tuple[torch.Tensor], y: torch.Tensor) -> torch.Tensor:
    return y * 2


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_hooks_of_a_scripted_module_are_not_passed_over(tmp_path):
    module = nn.Sequential(nn.Linear(3, 3)).eval()
    module[0].register_forward_hook(_doubled)
    checkpoint = _saved(module, tmp_path / "net.pt", script=True)

    with pytest.raises(NotApplicable, match="'0' has hooks or a forward of its own"):
        stored_module(checkpoint)


def _changed(checkpoint, **attributes):
    modules = dict(checkpoint.modules)
    modules["0"] = modules["0"] | attributes
    return replace(checkpoint, modules=MappingProxyType(modules))


def _stored(tmp_path):
    return _saved(nn.Sequential(nn.Linear(3, 3)), tmp_path / "net.pt")


def test_attributes_that_lie_are_found_out_before_memory_is_asked_for(tmp_path):
    huge = _changed(_stored(tmp_path), in_features=10**9, out_features=10**6)

    with pytest.raises(NotApplicable, match=r"'0.weight' does not fit the attributes"):
        stored_module(huge)


def test_attributes_that_make_no_layer_are_said(tmp_path):
    wrong = _changed(_stored(tmp_path), in_features="many")

    with pytest.raises(
        NotApplicable, match="the attributes of '0' do not fit a Linear"
    ):
        stored_module(wrong)


def test_attributes_that_are_missing_are_said(tmp_path):
    checkpoint = _stored(tmp_path)
    less = {k: v for k, v in checkpoint.modules["0"].items() if k != "in_features"}
    modules = MappingProxyType({**checkpoint.modules, "0": less})

    with pytest.raises(NotApplicable, match="does not tell 'in_features' of '0'"):
        stored_module(replace(checkpoint, modules=modules))


def test_more_numbers_than_bytes_are_not_put_together(tmp_path):
    with pytest.raises(NotApplicable, match="too large"):
        stored_module(replace(_stored(tmp_path), nbytes=3))


def test_a_name_in_a_file_is_quoted(tmp_path):
    checkpoint = _stored(tmp_path)
    modules = MappingProxyType({"": {"class": "x.\x1b[31mEvil"}})

    with pytest.raises(NotApplicable, match=r"\\x1b\[31mEvil"):
        stored_module(replace(checkpoint, modules=modules))


def test_the_input_of_a_dense_sequential_is_known():
    dense = nn.Sequential(nn.Flatten(), nn.Linear(7, 2))

    assert input_shape_of(dense) == (7,)
    assert input_shape_of(nn.Sequential(nn.Conv1d(1, 1, 1), nn.Linear(7, 2))) is None
    assert input_shape_of(nn.Sequential(nn.ReLU())) is None
    assert input_shape_of(Custom()) is None
