"""Where weights are: prefixes, ties, and weights that are computed."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.measure.noise.placement import placement
from tests.measure.noise.nets import mlp, stored


def found(module, network=None):
    return placement(network or stored(module), module)


def test_names_are_the_modules_own():
    module = mlp(4, 3, 1)

    assert found(module).names == {"0.weight": "0.weight", "2.weight": "2.weight"}


def test_a_prefix_may_be_missing_or_extra():
    module = mlp(4, 3, 1)
    longer = nn.ModuleDict({"net": module})

    assert found(longer, stored(module)).names["0.weight"] == "net.0.weight"
    assert found(module, stored(longer)).names == {
        "net.0.weight": "0.weight",
        "net.2.weight": "2.weight",
    }


def test_a_tied_weight_is_found_under_either_name():
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    module[2].weight = module[0].weight

    assert list(found(module).names) == ["0.weight"]


def test_what_is_not_there_says_why():
    other = stored(mlp(5, 3, 1))
    missing = found(mlp(4, 3), other).missing

    assert missing == {
        "0.weight": "the model's parameter has shape (3, 4), not (3, 5)",
        "2.weight": "the model has no parameter of that name",
    }


def pruned(layer):
    return prune.l1_unstructured(layer, "weight", amount=0.5)


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize(
    "wrap",
    [
        parametrizations.weight_norm,
        parametrizations.spectral_norm,
        parametrizations.orthogonal,
        weight_norm,
        spectral_norm,
        pruned,
    ],
)
def test_a_computed_weight_becomes_a_parameter_of_the_same_net(wrap):
    torch.manual_seed(0)
    module = nn.Sequential(wrap(nn.Linear(4, 4)), nn.ReLU(), nn.Linear(4, 1)).eval()
    x = torch.randn(5, 4)
    expected, before = module(x), {k: v.clone() for k, v in module.state_dict().items()}
    network = from_tensors(
        readers.read(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)))
    )[0]
    spot = placement(network, module)

    assert spot.names == {"0.weight": "0.weight", "2.weight": "2.weight"}
    np.testing.assert_allclose(spot.module(x).detach(), expected.detach(), rtol=1e-6)
    assert not any(p.requires_grad for p in spot.module.parameters())
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
