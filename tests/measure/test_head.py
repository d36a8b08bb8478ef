"""The last linear layer is found, or what stands in its place is said."""

import pytest
import torch
from torch import nn

from boundkit.errors import NotApplicable, UsageError
from boundkit.layers.graph import trace
from boundkit.measure.head import find_head, named_head, weights_of
from boundkit.types import Network


class Untraceable(nn.Module):
    """Control flow on values: no graph of it can be followed."""

    def __init__(self, after=lambda t: t):
        super().__init__()
        self.body, self.last = nn.Linear(6, 4), nn.Linear(4, 3)
        self.after = after

    def forward(self, x):
        h = self.body(x)
        return self.after(self.last(h.relu() if h.sum() > 0 else h))


class Called(nn.Module):
    """Uses the weight of its last layer without calling it."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(6, 3)

    def forward(self, x):
        return nn.functional.linear(x, self.last.weight, self.last.bias)


def _found(module, *shape):
    module.eval()
    network = Network(layers=(), nodes=trace(module, shape).nodes)
    return find_head(network, module, torch.randn(4, *shape))


@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_the_last_linear_layer_is_found_behind_what_changes_nothing(outputs):
    net = nn.Sequential(
        nn.Linear(6, 8),
        nn.ReLU(),
        nn.Linear(8, outputs),
        nn.Dropout(),
        nn.Identity(),
        nn.Flatten(),
    )

    assert _found(net, 6) == "2"
    assert not any(part._forward_hooks for part in net.modules())


def test_a_net_that_is_one_layer_is_its_own_head():
    assert not _found(nn.Linear(6, 3), 6)


def test_a_head_is_found_without_a_graph():
    assert _found(Untraceable(), 6) == "last"


def test_a_kernel_as_large_as_its_input_is_a_linear_map():
    net = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Conv2d(5, 4, 1), nn.Flatten()
    )

    assert _found(net, 3, 8, 8) == "2"
    assert weights_of(net, "2").weight.shape == (4, 5)


def test_a_pooled_convolution_is_no_head_and_the_way_out_is_said():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    with pytest.raises(NotApplicable, match="average before that convolution"):
        _found(net, 3, 8, 8)


def test_what_follows_the_last_layer_is_named():
    net = nn.Sequential(nn.Linear(6, 3), nn.ReLU())

    with pytest.raises(NotApplicable, match=r"activation '1'.*--head"):
        _found(net, 6)


def test_without_a_graph_the_layers_are_listed():
    with pytest.raises(NotApplicable, match="linear layers are 'body', 'last'"):
        _found(Untraceable(lambda t: t.softmax(1)), 6)


def test_a_net_without_linear_layers_has_no_head():
    with pytest.raises(NotApplicable, match="name the last linear layer"):
        _found(nn.Sequential(nn.Flatten(), nn.LayerNorm(6)), 6)


def test_a_weight_that_is_used_without_its_layer_is_not_found():
    with pytest.raises(NotApplicable, match="no linear layer gives the net's outputs"):
        find_head(Network(layers=()), Called(), torch.randn(4, 6))


def test_heads_are_named_by_layer_or_by_weight():
    net = nn.Sequential(nn.Linear(6, 3), nn.Softmax(1))

    assert named_head(net, "0") == named_head(net, "0.weight") == "0"
    with pytest.raises(UsageError, match=r"no layer '7'; its linear layers are '0'"):
        named_head(net, "7")
    with pytest.raises(UsageError, match="'1' is a Softmax, not a linear layer"):
        named_head(net, "1")
    with pytest.raises(UsageError, match="it has no linear layer"):
        named_head(nn.Sequential(nn.ReLU()), "1")


def test_padded_and_grouped_convolutions_are_no_linear_layers():
    net = nn.Sequential(
        nn.Conv2d(4, 4, 1, padding=1),
        nn.Conv2d(4, 4, 1, groups=2),
        nn.Conv2d(4, 4, 3, padding="same"),
        nn.Conv2d(4, 4, 3, padding="valid"),
    )

    with pytest.raises(UsageError, match=r"its linear layers are '3'$"):
        named_head(net, "7")


def test_weights_are_those_that_are_applied():
    net = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 3)))
    net[0].parametrizations.weight.original0.data.mul_(2)

    found = weights_of(net, "0")

    assert found.weight.dtype == torch.float64
    assert torch.equal(found.weight, net[0].weight.detach().double())
    assert torch.equal(found.bias, net[0].bias.detach().double())
    assert weights_of(nn.Linear(6, 3, bias=False), "").bias is None
