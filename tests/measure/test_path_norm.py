"""Squared weights on ones, by the network itself and by its layers."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.measure.path_norm import path_norm
from tests.certify.examples import cnn, mlp, stored, wired


def squared(module, shape):
    """The module with squared weights on ones."""
    net = copy.deepcopy(module).eval()
    with torch.no_grad():
        for part in net.parameters():
            part.square_()
        return float(net(torch.ones(1, *shape, dtype=torch.float64)).sum())


@pytest.mark.parametrize(
    "module",
    [
        cnn(),
        cnn(3, bias=True, padding=1, stride=2),
        cnn(2, nn.LeakyReLU(0.2), nn.MaxPool1d(2)),
        cnn(1, nn.ReLU(), nn.AvgPool1d(3, 1, 1)),
        cnn(1, nn.ReLU(), nn.ConvTranspose1d(3, 2, 3, stride=2), nn.ReLU()),
        cnn(1, nn.ReLU(), nn.AdaptiveAvgPool1d(1)),
        cnn(padding=2, padding_mode="circular"),
    ],
)
def test_it_is_the_network_with_squared_weights(module):
    np.testing.assert_allclose(
        path_norm(wired(module, (1, 6))), squared(module, (1, 6)), rtol=1e-12
    )


def test_one_path_per_choice_of_units():
    module = mlp(2, 3, 1)
    first, last = (p.detach().numpy() for p in module.parameters())
    paths = sum(first[h, i] ** 2 * last[0, h] ** 2 for h in range(3) for i in range(2))

    np.testing.assert_allclose(path_norm(wired(module, (2,))), paths, rtol=1e-12)


def test_without_an_architecture_there_is_none():
    assert path_norm(stored(mlp(2, 3, 1))) is None


def test_what_is_not_understood_has_none():
    module = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 1)).double()

    assert path_norm(wired(module, (3,))) is None
