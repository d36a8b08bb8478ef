import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

from boundkit.layers.doubling import doubling_errors


def _net(wrap=lambda layer: layer, bias=False):
    torch.manual_seed(0)
    first = wrap(nn.Linear(3, 5, bias=bias))
    return nn.Sequential(first, nn.ReLU(), nn.Linear(5, 2, bias=bias)).eval()


X = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))


def test_each_layer_of_a_homogeneous_network_doubles_it():
    found = doubling_errors(_net(), X, {"0.weight": 1, "2.weight": 1})

    assert found == {"0.weight": 0.0, "2.weight": 0.0}


def test_a_weight_that_is_used_twice_counts_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3, bias=False)

        def forward(self, x):
            return self.layer(torch.relu(self.layer(x)))

    assert doubling_errors(Twice(), X, {"layer.weight": 2}) == {"layer.weight": 0.0}
    assert doubling_errors(Twice(), X, {"layer.weight": 1})["layer.weight"] == 1.0


def test_biases_show():
    net = _net(bias=True)

    assert doubling_errors(net, X, {"0.weight": 1})["0.weight"] > 1e-3
    assert doubling_errors(net, X, {"2.weight": 1})["2.weight"] > 1e-3


def test_the_last_layer_is_homogeneous_together_with_its_bias():
    found = doubling_errors(_net(bias=True), X, {"2.weight": 1}, ["2.bias"])

    assert found == {"2.weight": 0.0}


@pytest.mark.parametrize(
    "wrap",
    [
        weight_norm,
        spectral_norm,
        parametrizations.weight_norm,
        parametrizations.spectral_norm,
        lambda layer: prune.l1_unstructured(layer, "weight", 3),
    ],
)
@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated:FutureWarning")
def test_weights_that_are_computed_can_be_doubled(wrap):
    net = _net(wrap)
    before = {name: t.clone() for name, t in net.state_dict().items()}
    outputs = net.eval()(X).detach()

    found = doubling_errors(net, X, {"0.weight": 1, "2.weight": 1})

    assert found["0.weight"] < 1e-6
    # Copies of a parametrized module share its class: nothing on it may be removed.
    assert torch.equal(net(X), outputs)
    assert doubling_errors(net, X, {"0.weight": 1, "2.weight": 1}) == found
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())


def test_unknown_weights_and_zero_outputs_give_nothing():
    net = _net()
    dead = nn.Linear(3, 1, bias=False)
    nn.init.zeros_(dead.weight)

    assert doubling_errors(net, X, {"other": 1}) == {}
    assert doubling_errors(dead, X, {"weight": 1}) == {}
