import logging

import pytest
import torch
from torch import nn
from torch.nn import functional

from boundkit.layers.aten import known
from boundkit.layers.exported_graph import exported
from boundkit.layers.graph import trace
from boundkit.layers.replay import replay
from tests.normalize.nets import random_net, wired


class Net(nn.Module):
    """Chooses its way by the size of its input, which torch.fx cannot follow."""

    def __init__(self, forward, **parts):
        super().__init__()
        self._run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        if x.shape[-1] < 2:
            return -x
        return self._run(self, x)


def _plain(m, x):
    x = functional.leaky_relu(m.norm(m.conv(x)), 0.1, inplace=True)
    x = functional.max_pool2d(x, 2) + functional.avg_pool2d(x, 2, stride=2)
    x = functional.dropout(m.up(x), 0.5, m.training)
    return m.head(functional.adaptive_avg_pool2d(torch.relu(x), 2).flatten(1))


def _net():
    torch.manual_seed(0)
    return Net(
        _plain,
        conv=nn.Conv2d(1, 4, 3, padding=1, bias=False),
        norm=nn.BatchNorm2d(4),
        up=nn.ConvTranspose2d(4, 2, 2, 2, groups=2),
        head=nn.Linear(8, 3),
    ).eval()


def test_control_flow_on_sizes_is_followed():
    nodes = trace(_net(), (1, 8, 8)).nodes

    assert [n.op for n in nodes] == [
        "input",
        "layer",
        "norm",
        "activation",
        "max_pool",
        "average_pool",
        "add",
        "layer",
        "identity",
        "activation",
        "average_pool",
        "flatten",
        "layer",
        "output",
    ]
    assert [n.layer for n in nodes if n.layer] == [
        "conv.weight",
        "up.weight",
        "head.weight",
    ]
    assert nodes[2].statistics.mean == "norm.running_mean"
    assert nodes[3].slope == 0.1
    assert nodes[7].geometry.transposed
    assert nodes[7].detail == nodes[12].detail == "bias"


@pytest.mark.parametrize("seed", range(4))
def test_both_ways_of_following_see_the_same_network(seed, monkeypatch):
    from boundkit.layers import graph

    module, shape = random_net(seed, padding_modes=("zeros",))
    by_fx = trace(module, shape).nodes
    monkeypatch.setattr(graph, "_followed", graph._exported)
    by_export = trace(module, shape).nodes

    def seen(nodes):
        return [
            (n.op, n.shape, n.layer, n.slope, n.geometry, n.statistics) for n in nodes
        ]

    # An identity module leaves no call behind.
    kept = [n for n in by_fx if not (n.op == "identity" and n.name in _idle(module))]
    assert seen(kept) == seen(by_export)


def _idle(module):
    return {name for name, m in module.named_modules() if isinstance(m, nn.Identity)}


def test_a_graph_of_another_origin_replays_too():
    module = Net(lambda m, x: m.a(x).relu(), a=nn.Linear(3, 2)).eval()
    x = torch.randn(4, 3)

    torch.testing.assert_close(
        replay(wired(module, (3,)), x), module(x), rtol=1e-6, atol=1e-7
    )


def test_a_relu_in_place_on_a_value_in_use_changes_that_value():
    module = Net(lambda m, x: (y := m.a(x)).relu_() + y, a=nn.Linear(3, 3)).eval()
    x = torch.randn(4, 3)

    torch.testing.assert_close(
        replay(wired(module, (3,)), x), module(x), rtol=1e-6, atol=1e-7
    )


def test_an_empty_stride_is_the_window():
    module = Net(
        lambda m, x: torch.max_pool2d(m.a(x), 2, stride=[]), a=nn.Conv2d(1, 1, 1)
    )
    pool = trace(module.eval(), (1, 8, 8)).nodes[2]

    assert (pool.op, pool.geometry.stride) == ("max_pool", (2, 2))


def test_other_calls_stay_unknown():
    module = Net(lambda m, x: torch.sin(m.a(x)) * 2, a=nn.Linear(3, 3)).eval()
    details = [n.detail for n in trace(module, (3,)).nodes if n.op == "unknown"]

    assert details == ["sin.default", "mul.Tensor"]
    assert not known("aten.sin.default")


def test_control_flow_on_numbers_is_not_followed_and_prints_nothing(capfd):
    module = Net(lambda m, x: m.a(x) if x.sum() > 0 else x, a=nn.Linear(3, 3)).eval()
    disabled = logging.root.manager.disable

    reason = trace(module, (3,)).reason

    assert "cannot be followed" in reason
    assert "\n" not in reason
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable == disabled


def test_several_outputs_stay_several():
    class Two(nn.Module):
        def forward(self, x):
            return x, x + 1

    net = exported(Two(), torch.ones(2, 3))

    assert [tuple(part.shape) for part in net(torch.ones(2, 3))] == [(2, 3), (2, 3)]
