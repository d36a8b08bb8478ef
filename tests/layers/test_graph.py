"""Nodes come in forward order, with the right layers, and never too much is claimed."""

import itertools
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from boundkit.layers.geometry import output_size
from boundkit.layers.graph import trace


class Net(nn.Module):
    """A module with a forward of its own."""

    def __init__(self, forward, **parts):
        super().__init__()
        self._run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self._run(self, x)


def _ops(module, shape):
    traced = trace(module, shape)
    assert traced.reason == ""
    return [node.op for node in traced.nodes]


def _conv():
    return nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False)


def test_a_chain_of_modules():
    net = nn.Sequential(_conv(), nn.ReLU(), nn.Flatten(), nn.Linear(64, 1))

    nodes = trace(net, (1, 8, 8)).nodes

    assert [(n.name, n.op, n.inputs, n.shape, n.layer) for n in nodes] == [
        ("x", "input", (), (1, 8, 8), None),
        ("0", "layer", ("x",), (4, 4, 4), "0.weight"),
        ("1", "activation", ("0",), (4, 4, 4), None),
        ("2", "flatten", ("1",), (64,), None),
        ("3", "layer", ("2",), (1,), "3.weight"),
        ("output", "output", ("3",), (1,), None),
    ]
    assert nodes[1].geometry.stride == (2, 2)
    assert nodes[2].slope == 0
    assert nodes[1].slope is None


def test_a_bare_layer_is_its_own_network():
    nodes = trace(nn.Linear(3, 2), (3,)).nodes

    assert [n.op for n in nodes] == ["input", "layer", "output"]
    assert nodes[1].layer == "weight"


def test_forward_order_wins_over_stored_order():
    net = Net(
        lambda m, x: m.first(functional.relu(m.second(x))),
        first=nn.Linear(4, 2),
        second=nn.Linear(3, 4),
    )

    nodes = trace(net, (3,)).nodes

    assert [n.layer for n in nodes if n.layer] == ["second.weight", "first.weight"]


def test_each_use_of_a_shared_module_is_a_node():
    net = Net(lambda m, x: m.a(torch.relu(m.a(x))), a=nn.Linear(3, 3))

    nodes = trace(net, (3,)).nodes

    used = [(n.name, n.layer) for n in nodes if n.op == "layer"]
    assert used == [("a", "a.weight"), ("a#2", "a.weight")]


def _old_weight_norm(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch deprecates it
        return nn.utils.weight_norm(module)


@pytest.mark.parametrize(
    "change",
    [
        _old_weight_norm,
        parametrizations.weight_norm,
        parametrizations.spectral_norm,
        nn.utils.spectral_norm,
        lambda m: prune.l1_unstructured(m, "weight", 0.5),
    ],
)
def test_computed_weights_count_as_the_plain_layer(change):
    net = nn.Sequential(change(nn.Linear(3, 3)), nn.ReLU(), change(nn.Linear(3, 1)))

    nodes = trace(net, (3,)).nodes

    assert [n.layer for n in nodes if n.op == "layer"] == ["0.weight", "2.weight"]
    assert "unknown" not in [n.op for n in nodes]


def test_functional_calls_are_seen_like_modules():
    def forward(m, x):
        x = functional.relu(functional.conv2d(x, m.filters, stride=2))
        x = functional.max_pool2d(x, 2).relu()
        x = functional.dropout(functional.leaky_relu(x, 0.2), 0.5, m.training)
        x = functional.avg_pool2d(x, (1, 3))
        return functional.linear(x.view(x.size(0), -1), m.head.weight, m.head.bias)

    filters = nn.Parameter(torch.randn(4, 1, 3, 3))
    net = Net(forward, filters=filters, head=nn.Linear(12, 2))

    nodes = trace(net, (1, 13, 13)).nodes

    assert [n.op for n in nodes] == [
        *("input", "layer", "activation", "max_pool", "activation", "activation"),
        *("identity", "average_pool", "flatten", "layer", "output"),
    ]
    assert [n.layer for n in nodes if n.layer] == ["filters", "head.weight"]
    assert [n.detail for n in nodes if n.layer] == ["", "bias"]
    assert nodes[1].geometry.stride == (2, 2)
    assert nodes[5].slope == pytest.approx(0.2, rel=1e-12)


def test_residual_branches_join_in_an_addition():
    block = Net(
        lambda m, x: m.b(m.relu(m.a(x))) + x,
        a=nn.Linear(3, 3),
        b=nn.Linear(3, 3),
        relu=nn.ReLU(inplace=True),
    )
    net = nn.Sequential(nn.Linear(3, 3), block)

    nodes = {n.name: n for n in trace(net, (3,)).nodes}

    assert nodes["add"].op == "add"
    assert nodes["add"].inputs == ("1.b", "0")


def test_adding_a_value_to_itself_reads_it_twice():
    nodes = trace(Net(lambda m, x: x + x), (3,)).nodes

    assert nodes[1].op == "add"
    assert nodes[1].inputs == ("x", "x")


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: x + 1,
        lambda m, x: x + m.bias,
        lambda m, x: x + x[:, :, :1],
        lambda m, x: torch.add(x, x, alpha=2),
        lambda m, x: x * 0.5,
        lambda m, x: x - x,
        lambda m, x: torch.cat([x, x], 1),
        lambda m, x: x.softmax(1),
        lambda m, x: x.mean(1),
        lambda m, x: x.mean(),
        lambda m, x: x.sum((2, 3)),
        lambda m, x: x.transpose(1, 2),
        lambda m, x: x.transpose(0, 1),
        lambda m, x: x.reshape(-1),
        lambda m, x: x.reshape(-1, 4),
        lambda m, x: x.chunk(2, 1)[0],
        lambda m, x: functional.dropout(x, 1.0),
        lambda m, x: functional.conv2d(x, m.bias.expand(2, 4, 1, 1)),
        lambda m, x: x.flip(2),
        lambda m, x: torch.where(x > 0, x, -x),
        lambda m, x: functional.interpolate(x, scale_factor=2),
    ],
)
def test_whatever_is_not_understood_is_unknown(forward):
    net = Net(forward, bias=nn.Parameter(torch.randn(4, 1, 1)))

    assert "unknown" in _ops(net, (4, 4, 6))


@pytest.mark.parametrize(
    ("forward", "op", "shape"),
    [
        (lambda m, x: x.mean((2, 3)), "average_pool", (4,)),
        (lambda m, x: x.mean([-1, -2], keepdim=True), "average_pool", (4, 1, 1)),
        (lambda m, x: torch.mean(x, dim=(2, 3)), "average_pool", (4,)),
        (lambda m, x: x.amax((2, 3)), "max_pool", (4,)),
        (lambda m, x: torch.flatten(x, 1), "flatten", (96,)),
        (lambda m, x: x.flatten(2), "flatten", (4, 24)),
        (lambda m, x: x.contiguous(), "identity", (4, 4, 6)),
        (lambda m, x: x.clone().relu_(), "activation", (4, 4, 6)),
    ],
)
def test_tensor_methods_are_understood(forward, op, shape):
    node = trace(Net(forward), (4, 4, 6)).nodes[-2]

    assert (node.op, node.shape) == (op, shape)


def test_a_mean_over_channels_is_no_pool_even_if_the_sizes_agree():
    assert "unknown" in _ops(Net(lambda m, x: x.mean((1, 2))), (4, 4, 4))


def test_reordering_before_flattening_is_part_of_the_flattening():
    net = Net(lambda m, x: x.permute(0, 2, 3, 1).reshape(x.shape[0], -1))

    nodes = trace(net, (4, 5, 6)).nodes

    assert [n.op for n in nodes] == ["input", "flatten", "flatten", "output"]
    assert nodes[1].shape == (120,)


def test_writing_over_a_value_that_is_used_later_is_unknown():
    net = Net(lambda m, x: m.a(m.relu(m.b(x))), a=nn.Identity(), b=nn.Identity())
    net.relu = nn.ReLU(inplace=True)
    fine = _ops(net, (3,))
    net._run = lambda m, x: (lambda y: m.a(m.relu(y)) + y)(m.b(x))
    # Pre-activation residual blocks do this by mistake: the skip carries the ReLU.
    mistaken = _ops(net, (3,))

    assert "unknown" not in fine
    assert "unknown" in mistaken


@pytest.mark.parametrize("place", ["leaf", "root"])
def test_hooks_that_change_the_output_are_not_overlooked(place):
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    part = net if place == "root" else net[0]
    part.register_forward_hook(lambda m, args, output: output * 2)

    traced = trace(net, (3,))

    assert traced.nodes is None or "unknown" in [n.op for n in traced.nodes]


def test_branches_that_are_not_used_in_eval_mode_do_not_appear():
    def forward(m, x):
        y = m.a(x)
        m.auxiliary(y)
        return m.extra(y) if m.training else y

    parts = {name: nn.Linear(3, 3) for name in ("a", "auxiliary", "extra")}
    net = Net(forward, **parts)

    assert _ops(net, (3,)) == ["input", "layer", "output"]
    assert net.training


def _branch(m, x):
    return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (Net(_branch), "cannot be followed: TraceError"),
        (nn.Linear(4, 2), "cannot be followed: RuntimeError: mat1 and mat2"),
        (nn.LSTM(3, 3), "returns a tuple, not one tensor"),
        (nn.Embedding(3, 3), "cannot be followed: RuntimeError"),
        (Net(lambda m, x: x + torch.rand(()).item()), "its graph does not show"),
    ],
)
def test_a_network_that_cannot_be_followed_has_a_reason(module, reason):
    traced = trace(module, (3,))

    assert traced.nodes is None
    assert reason in traced.reason
    assert "\n" not in traced.reason


def test_geometry_gives_the_shapes_of_the_nodes():
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding="same", dilation=2),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.ConvTranspose2d(2, 3, 3, 2, 1, 1),
        nn.AdaptiveAvgPool2d(2),
    )
    nodes = trace(net, (1, 11, 7)).nodes

    for before, after in itertools.pairwise(nodes[:-1]):
        assert output_size(after.geometry, before.shape[1:]) == after.shape[1:]


def test_models_of_any_precision_are_followed():
    assert "unknown" not in _ops(nn.Linear(3, 3).double(), (3,))
    assert "unknown" not in _ops(nn.Linear(3, 3).bfloat16(), (3,))
