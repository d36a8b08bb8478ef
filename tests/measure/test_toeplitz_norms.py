"""Unrolled norms against the matrix itself, column by column through torch."""

import numpy as np
import pytest
import torch
from torch import nn

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.layers.geometry import of_module
from boundkit.layers.graph import trace
from boundkit.layers.wiring import wire
from boundkit.measure.toeplitz_norms import meetings, toeplitz_norm, toeplitz_norms
from boundkit.types import Geometry


def layer_of(module):
    network, _ = from_tensors(readers.read(nn.Sequential(module)))
    return network.layers[0]


def unrolled(module, channels, sizes):
    count = channels * int(np.prod(sizes))
    basis = torch.eye(count, dtype=torch.float64).reshape(-1, channels, *sizes)
    with torch.no_grad():
        return float(module.double()(basis).norm())


CASES = [
    (nn.Conv1d(2, 3, 3, bias=False), 2, (7,)),
    (nn.Conv1d(1, 2, 4, stride=2, padding=3, bias=False), 1, (9,)),
    (nn.Conv2d(2, 4, 3, padding=1, bias=False), 2, (5, 6)),
    (nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=False), 4, (5, 5)),
    (
        nn.Conv2d(3, 3, (3, 2), padding=(2, 0), dilation=2, groups=3, bias=False),
        3,
        (6, 5),
    ),
    (nn.Conv3d(1, 2, 2, padding=1, bias=False), 1, (3, 2, 3)),
    (nn.Conv2d(2, 2, 3, padding="same", dilation=2, bias=False), 2, (5, 4)),
    (nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, bias=False), 2, (4,)),
    (nn.ConvTranspose2d(4, 2, 3, 2, 1, 1, groups=2, bias=False), 4, (3, 4)),
    (nn.Conv1d(2, 2, 3, padding=1, padding_mode="replicate", bias=False), 2, (5,)),
    (nn.Conv1d(2, 2, 5, padding=2, padding_mode="reflect", bias=False), 2, (4,)),
    (nn.Conv2d(1, 2, 5, padding=2, padding_mode="circular", bias=False), 1, (4, 3)),
    (nn.Conv2d(1, 2, 3, padding=2, padding_mode="replicate", bias=False), 1, (2, 3)),
]


@pytest.mark.parametrize(("module", "channels", "sizes"), CASES)
def test_norm_is_that_of_the_matrix(module, channels, sizes):
    layer = layer_of(module.double())
    found = toeplitz_norm(layer.weight, of_module(module), sizes)

    np.testing.assert_allclose(found, unrolled(module, channels, sizes), rtol=1e-12)


def test_without_padding_every_tap_is_used_at_every_position():
    module = nn.Conv2d(2, 3, 3, bias=False).double()
    found = toeplitz_norm(layer_of(module).weight, of_module(module), (7, 6))

    np.testing.assert_allclose(
        found, np.sqrt(20) * float(module.weight.detach().norm()), rtol=1e-12
    )


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_no_scale_overflows_or_underflows(scale):
    module = nn.Conv1d(1, 1, 2, bias=False).double()
    nn.init.constant_(module.weight, scale)
    found = toeplitz_norm(layer_of(module).weight, of_module(module), (3,))

    np.testing.assert_allclose(found, 2 * scale, rtol=1e-12)


def test_taps_that_cancel_leave_nothing():
    module = nn.Conv1d(
        1, 1, 3, padding=1, padding_mode="replicate", bias=False
    ).double()
    module.weight.data[:] = torch.tensor([1.0, -2.0, 1.0])
    found = toeplitz_norm(layer_of(module).weight, of_module(module), (1,))

    np.testing.assert_allclose(found, 0, atol=1e-7)


def test_replicated_borders_let_two_taps_meet_one_input():
    geometry = Geometry((3,), (1,), ((1, 1),), (1,), padding_mode="replicate")

    assert meetings(geometry, (4,))[0].tolist() == [[4, 1, 0], [1, 4, 1], [0, 1, 4]]


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x):
        return self.conv(nn.functional.avg_pool1d(self.conv(x), 2)).flatten(1)


def test_a_weight_used_on_two_maps_has_the_larger_norm():
    module = Twice().double()
    network, _ = from_tensors(readers.read(module))
    wired = wire(network, trace(module, (1, 8)).nodes)
    expected = unrolled(module.conv, 1, (8,))

    np.testing.assert_allclose(
        toeplitz_norms(wired)["conv.weight"], expected, rtol=1e-12
    )


def test_no_architecture_no_unrolling():
    network, _ = from_tensors(readers.read(nn.Sequential(nn.Conv1d(1, 1, 3))))

    assert not toeplitz_norms(network)
