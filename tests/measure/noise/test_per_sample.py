"""Gradients of single samples, all at once and one by one."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.errors import ModelError
from boundkit.measure.noise import per_sample
from boundkit.measure.noise.per_sample import gradients, usable_way
from tests.measure.noise.nets import cnn, mlp, normalizing, reference, sample


def weights_of(module):
    return {k: p.detach() for k, p in module.named_parameters() if p.ndim > 1}


@pytest.mark.parametrize("way", ["vmap", "loop"])
@pytest.mark.parametrize("loss", ["square", "cross-entropy"])
@pytest.mark.parametrize(
    ("module", "shape"),
    [(mlp(4, 5, 3), (4,)), (normalizing(), (1, 6)), (cnn(3), (1, 6))],
)
def test_both_ways_give_autograds_gradients(way, loss, module, shape):
    x, y = sample(6, *shape, classes=3)
    frozen = copy.deepcopy(module).requires_grad_(False)
    found = gradients(frozen, weights_of(module), x, y, loss, way)

    np.testing.assert_allclose(found.outputs, module(x).detach(), rtol=1e-12)
    for name, expected in reference(module, x, y, loss).items():
        np.testing.assert_allclose(found.rows[name], expected, rtol=1e-9, atol=1e-14)


class Branching(nn.Module):
    """Decides by numbers, which vmap cannot follow."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 3).double()

    def forward(self, x):
        return self.head(x if x.sum() > 0 else 2 * x)


class Frozen(nn.Linear):
    """Lets no gradient through."""

    def forward(self, x):
        with torch.no_grad():
            return super().forward(x)


class _Broken(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, slope):
        raise ValueError("no way back\nat all")


class Broken(nn.Linear):
    """Cannot be differentiated."""

    def forward(self, x):
        return _Broken.apply(super().forward(x))


class InPlace(nn.Linear):
    """Changes its input."""

    def forward(self, x):
        return super().forward(x.mul_(2))


def tried(module):
    x, y = sample(3, 4, classes=3)
    return usable_way(module, weights_of(module), x, y, "square")


def test_plain_modules_go_at_once():
    assert tried(mlp(4, 3)) == ("vmap", "")


def test_what_vmap_cannot_follow_goes_one_by_one():
    way, why = tried(Branching())

    assert way == "loop"
    assert why.startswith("RuntimeError: ")


def test_what_cannot_be_differentiated_is_refused():
    with pytest.raises(
        ModelError, match="the model has no gradients: ValueError: no way back; noise"
    ):
        tried(Broken(4, 3).double())


@pytest.mark.parametrize("way", ["vmap", "loop"])
def test_a_weight_without_influence_has_zero_gradients(way):
    module = Frozen(4, 3).double()
    x, y = sample(3, 4, classes=3)

    assert (
        not gradients(module, weights_of(module), x, y, "square", way)
        .rows["weight"]
        .any()
    )


@pytest.mark.parametrize("way", ["vmap", "loop"])
def test_samples_are_left_as_they_are(way):
    module = InPlace(4, 3).double()
    x, y = sample(3, 4, classes=3)
    before = x.clone()
    gradients(module, weights_of(module), x, y, "square", way)

    assert torch.equal(x, before)


@pytest.mark.parametrize("way", ["vmap", "loop"])
def test_nothing_leaves_the_device(way):
    # A build without CUDA has no backward pass on fake CUDA tensors; meta has.
    settings = {"device": "meta", "dtype": torch.float64}
    steps = nn.Linear(4, 5, **settings), nn.ReLU(), nn.Linear(5, 3, **settings)
    module = nn.Sequential(*steps).requires_grad_(False)
    x = torch.empty(2, 4, **settings)
    y = torch.zeros(2, device="meta", dtype=torch.int64)
    found = gradients(module, weights_of(module), x, y, "cross-entropy", way)

    assert {row.device.type for row in found.rows.values()} == {"meta"}
    assert found.outputs.device.type == "meta"


def test_too_little_memory_is_said_in_one_line(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("tried to allocate")

    monkeypatch.setattr(per_sample, "_at_once", full)
    x, y = sample(3, 4, classes=3)
    with pytest.raises(
        ModelError, match="of 3 samples do not fit into the memory of cpu"
    ):
        gradients(mlp(4, 3), weights_of(mlp(4, 3)), x, y, "square", "vmap")


def test_operations_that_vmap_takes_one_by_one_do_not_warn():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    module = nn.Sequential(layer, nn.Flatten(), nn.Linear(8, 3)).double().eval()
    module.requires_grad_(requires_grad=False)
    x, y = sample(3, 2, 4, classes=3)

    assert usable_way(module, weights_of(module), x, y, "square") == ("vmap", "")
