"""Ranks of single samples' gradients: counted, and by autograd."""

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.measure.noise.low_rank import matrix
from boundkit.measure.noise.patch_ranks import patch_count, patches_seen
from tests.measure.noise.nets import cnn, mlp, stored, wired


def gradient_rank(module, x, layer):
    """The rank of one sample's gradient, by autograd."""
    weight = dict(module.named_parameters())[layer.name]
    (found,) = torch.autograd.grad(module(x[None])[0].sum(), weight)
    return np.linalg.matrix_rank(matrix(layer, found.numpy()))


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (mlp(6, 5, 4, 1), (6,)),
        (cnn(1), (1, 6)),
        (cnn(1, nn.ReLU(), nn.Conv1d(3, 6, 2, groups=3), nn.ReLU()), (1, 6)),
        (cnn(1, nn.ReLU(), nn.ConvTranspose1d(3, 4, 2), nn.ReLU()), (1, 6)),
    ],
)
def test_patches_limit_the_rank_of_a_gradient(module, shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1)).double()
    network = wired(module, shape)

    for layer in network.layers:
        assert gradient_rank(module, x, layer) <= patch_count(network, layer)


class Tokens(nn.Module):
    """A dense layer on each of several vectors, another used twice, one never."""

    def __init__(self):
        super().__init__()
        self.each = nn.Linear(4, 6)
        self.twice = nn.Linear(6, 6)
        self.conv = nn.Conv1d(6, 8, 2, groups=2)
        self.idle = nn.Linear(2, 2)

    def forward(self, x):
        h = self.twice(self.twice(self.each(x)).relu())
        return self.conv(h.mT).flatten(1)


def test_patches_are_seen_when_a_module_runs():
    module = Tokens()
    names = {k: k for k, p in module.named_parameters() if p.ndim > 1}
    found = patches_seen(module, names, torch.zeros(1, 5, 4))

    assert found == {"each.weight": 5, "twice.weight": 10, "conv.weight": 8}
    assert not any(part._forward_hooks for part in module.modules())


def test_a_run_and_a_trace_count_the_same():
    module = cnn(1, nn.ReLU(), nn.Conv1d(3, 6, 2, groups=3), nn.ReLU())
    network = wired(module, (1, 6))
    names = {layer.name: layer.name for layer in network.layers}
    expected = {layer.name: patch_count(network, layer) for layer in network.layers}

    assert patches_seen(module, names, torch.zeros(1, 1, 6).double()) == expected


def test_patches_are_counted():
    network = wired(cnn(1, nn.ReLU(), nn.Conv1d(3, 6, 2, groups=3)), (1, 6))

    assert [patch_count(network, layer) for layer in network.layers] == [4, 9, 1]


def test_without_an_architecture_patches_are_unknown():
    network = stored(cnn(1))

    assert patch_count(network, network.layers[0]) is None
