from dataclasses import replace

import pytest
import torch
from torch import nn

from boundkit.errors import NotApplicable
from boundkit.layers.replay import replay
from boundkit.types import Network
from tests.normalize.nets import random_net, wired


class Net(nn.Module):
    """A module with a forward of its own."""

    def __init__(self, forward, **parts):
        super().__init__()
        self._run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self._run(self, x)


@pytest.mark.parametrize(
    "part",
    [
        nn.Conv2d(2, 4, 3, 2, padding=1, groups=2, padding_mode="reflect"),
        nn.Conv2d(2, 4, 3, padding="same", dilation=3),
        nn.ConvTranspose2d(2, 4, 3, 2, 1, output_padding=1, groups=2),
        nn.MaxPool2d(3, 2, padding=1, dilation=2),
        nn.MaxPool2d(2, 2, ceil_mode=True),
        nn.AvgPool2d(3, 2, padding=1),
        nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
        nn.AdaptiveAvgPool2d(1),
        nn.AdaptiveMaxPool2d((3, 1)),
        nn.LeakyReLU(0.3),
        nn.Flatten(2),
        Net(lambda m, x: m.a(x) + x.clone(), a=nn.Conv2d(2, 2, 1)),
        Net(lambda m, x: (y := m.a(x)) + y, a=nn.Conv2d(2, 2, 1)),
        Net(lambda _, x: x.amax((2, 3)) + x.mean((2, 3))),
    ],
)
def test_a_described_operation_gives_what_the_module_gives(part):
    module = nn.Sequential(nn.Conv2d(2, 2, 1), part).double().eval()
    x = torch.randn(3, 2, 9, 9, dtype=torch.float64)

    found = replay(wired(module, (2, 9, 9)), x)

    torch.testing.assert_close(found, module(x), rtol=1e-12, atol=1e-13)


def test_a_wrong_graph_gives_something_else():
    module = nn.Conv1d(1, 1, 3, padding=1)
    graph = wired(nn.Conv1d(1, 1, 3, padding=1), (1, 5))

    assert not torch.allclose(replay(graph, x := torch.ones(1, 1, 5)), module(x))


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Linear(4, 4), nn.GELU()),
        nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)),
    ],
)
def test_what_is_not_described_is_not_run(module):
    with pytest.raises(NotApplicable, match="is not described"):
        replay(wired(module.eval(), (4,)), torch.ones(2, 4))


def test_reordered_positions_are_not_run():
    part = nn.Conv1d(2, 2, 1)
    module = Net(lambda m, x: m.a(x).permute(0, 2, 1).flatten(1), a=part)

    with pytest.raises(NotApplicable, match="is not described"):
        replay(wired(module, (2, 3)), torch.ones(2, 2, 3))


def _elsewhere():
    def forward(m, x):
        return nn.functional.linear(x, m.kernel, m.offset)

    kernel, offset = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))
    return Net(forward, kernel=kernel, offset=offset)


def test_a_bias_that_is_not_stored_beside_its_weight_is_found_in_the_graph():
    network = wired(_elsewhere(), (2,))

    assert replay(network, torch.ones(1, 2)).tolist() == [[3.0, 3.0]]


def test_a_bias_that_is_not_stored_is_not_guessed():
    network = wired(_elsewhere(), (2,))
    without = replace(network, layers=(replace(network.layers[0], bias=None),))

    with pytest.raises(NotApplicable, match="the bias of kernel is not stored"):
        replay(without, torch.ones(1, 2))


def test_without_an_architecture_there_is_nothing_to_run():
    module, shape = random_net(0)
    bare = Network(wired(module, shape).layers)

    with pytest.raises(NotApplicable, match="architecture is not known"):
        replay(bare, torch.ones(1, *shape))
