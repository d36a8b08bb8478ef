from dataclasses import replace

import pytest
import torch
from torch import nn

import boundkit
from boundkit.measure.probing import probed
from boundkit.normalize import normalized
from tests.normalize.nets import random_net, trained, wired


def _ours(network):
    biases = {node.bias for node in network.nodes if node.bias is not None}
    return {name: name for name in {*(x.name for x in network.layers), *biases}}


def _net(bias=False):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv1d(2, 3, 3, bias=bias), nn.ReLU(), nn.Flatten(), nn.Linear(15, 2, bias)
    ).eval()


def _with(network, op, **changes):
    nodes = tuple(replace(n, **changes) if n.op == op else n for n in network.nodes)
    return replace(network, nodes=nodes)


@pytest.mark.parametrize("seed", range(6))
def test_networks_agree_with_their_graphs(seed):
    module, shape = random_net(seed)
    network = normalized(wired(module, shape))

    after, notices = probed(network, module, torch.randn(3, *shape), _ours(network))

    assert after.doubts == notices == ()


@pytest.mark.parametrize("bias", [False, True])
def test_a_graph_that_says_another_activation_is_found_out(bias):
    module = _net(bias)
    wrong = _with(wired(module, (2, 7)), "activation", slope=0.3)

    after, notices = probed(wrong, module, None, _ours(wrong))

    assert after.doubts == (
        "the graph, run by itself, gives other outputs than the model",
    )
    assert [(n.code, n.message) for n in notices] == [
        ("probe-disagrees", after.doubts[0])
    ]


def test_a_graph_that_hides_a_bias_is_found_out():
    module = _net(bias=True)
    wrong = _with(wired(module, (2, 7)), "layer", detail="")

    doubts = probed(wrong, module, None, _ours(wrong))[0].doubts

    assert doubts == (
        "the graph is a positively homogeneous network, but f(2x) is not 2 f(x)",
        "the graph, run by itself, gives other outputs than the model",
        "doubling 0.weight (its weight) does not double the outputs",
        "doubling 3.weight (its weight) does not double the outputs",
    )


def test_what_shows_on_real_inputs_only_is_found_out():
    class Switch(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2, bias=False)

        def forward(self, x):
            return self.layer(x) * (1 + 8 * (x.amax() > 50))

    module = Switch().eval()
    network = wired(nn.ModuleDict({"layer": module.layer})["layer"], (3,))
    ours = {"weight": "layer.weight"}
    real = torch.full((2, 3), 90.0)

    assert probed(network, module, None, ours)[0].doubts == ()
    assert len(probed(network, module, real, ours)[0].doubts) >= 1


def test_biases_without_effect_are_said_and_break_nothing():
    module = _net(bias=True)
    with torch.no_grad():
        module[0].bias.zero_()
        module[3].bias.fill_(1e-30)
    network = wired(module, (2, 7))

    after, notices = probed(network, module, None, _ours(network))

    assert after.doubts == ()
    assert [n.message for n in notices] == [
        "the graph adds biases, but f(2x) = 2 f(x): they have no effect"
    ]


def test_a_batch_norm_that_stays_is_run_beside_the_model():
    module = trained(nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2)))
    network = normalized(wired(module, (3,)))

    assert [n.op for n in network.nodes] == ["input", "norm", "layer", "output"]
    assert probed(network, module, None, _ours(network))[1] == ()

    wrong = _with(network, "norm", statistics=replace(_statistics(network), eps=9.0))
    assert probed(wrong, module, None, _ours(network))[0].doubts


def _statistics(network):
    return next(n.statistics for n in network.nodes if n.statistics is not None)


@pytest.mark.parametrize("part", [nn.GELU(), nn.LayerNorm(3)])
def test_what_is_not_described_is_not_probed(part):
    module = nn.Sequential(nn.Linear(3, 3), part).eval()
    network = wired(module, (3,))

    assert probed(network, module, None, _ours(network))[1] == ()


def test_a_network_that_could_not_be_followed_is_left_alone():
    module = _net()
    bare = replace(wired(module, (2, 7)), nodes=None)

    assert probed(bare, module, None, {}) == (bare, ())


def test_a_layer_inside_a_branch_need_not_double_the_outputs():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Linear(4, 5, bias=False)
            self.inner = nn.Linear(5, 5, bias=False)
            self.outer = nn.Linear(5, 5, bias=False)
            self.head = nn.Linear(5, 1, bias=False)

        def forward(self, x):
            z = torch.relu(self.stem(x))
            return self.head(z + self.outer(torch.relu(self.inner(z))))

    torch.manual_seed(0)
    report = boundkit.analyze(Block(), input_shape=(4,), n=100, only=("bounds",))

    assert "probe-disagrees" not in [w.code for w in report.warnings]
