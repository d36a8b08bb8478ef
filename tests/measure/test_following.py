import numpy as np
import pytest
import torch
from torch import nn

import boundkit
from boundkit import readers
from boundkit.errors import ModelError
from boundkit.layers import from_tensors
from boundkit.measure.following import followed, traced
from boundkit.numerics.blocks import array


def _seen(stored, module, shape, follow=followed):
    checkpoint = readers.read(stored)
    return follow(from_tensors(checkpoint)[0], checkpoint, module, shape)


def _net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))


def test_stored_and_rewritten_networks_stand_side_by_side():
    net = _net().eval()
    found = _seen(net, net, (3,))

    assert [layer.name for layer in found.network.layers] == ["0.weight", "3.weight"]
    assert found.network.rewrites == ()
    assert found.rewritten.rewrites == ("fold_norm",)
    assert found.notices == ()
    stored = array(found.network.layers[0].weight)
    np.testing.assert_array_equal(stored, net[0].weight.detach().numpy())


def test_names_of_the_checkpoint_are_used_where_a_prefix_differs():
    net = _net().eval()
    wrapped = nn.ModuleDict({"backbone": net})["backbone"]
    state = {f"backbone.{name}": t for name, t in net.state_dict().items()}
    checkpoint = readers.read(state)

    found = _seen(state, wrapped, (3,))

    names = [layer.name for layer in found.network.layers]
    assert set(names) <= set(checkpoint.tensors)
    assert [n.layer for n in found.network.nodes if n.layer] == names
    assert found.rewritten.rewrites == ("fold_norm",)


def test_a_tied_layer_is_one_layer_with_two_uses():
    net = nn.Sequential(
        nn.Linear(3, 3, bias=False), nn.ReLU(), nn.Linear(3, 3, bias=False)
    )
    net[2].weight = net[0].weight
    state = net.state_dict()
    del state["2.weight"]

    for stored in (net, state):
        (layer,) = _seen(stored, net.eval(), (3,)).network.layers
        assert layer.uses == 2


def test_a_model_that_cannot_be_followed_is_said():
    class Choosing(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 1)

        def forward(self, x):
            return self.layer(x) if x.sum() > 0 else self.layer(-x)

    net = Choosing().eval()
    found = _seen(net, net, (3,))

    assert found.network.nodes is None
    assert found.rewritten is found.network
    assert [n.code for n in found.notices] == ["not-traced"]
    assert "the architecture stays unknown" in found.notices[0].message


def test_a_layer_that_the_checkpoint_does_not_hold_is_an_error():
    net = _net().eval()

    with pytest.raises(ModelError, match="which the checkpoint does not hold"):
        _seen({"other.weight": net[0].weight}, net, (3,), traced)


def test_doubts_leave_bounds_no_better_than_assumed(monkeypatch):
    from boundkit.measure import following

    def doubting(network, module, real, ours):
        del module, real, ours
        return type(network)(
            network.layers,
            network.nodes,
            network.input_shape,
            network.outputs,
            doubts=("it does something else",),
        ), ()

    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).eval()
    sample = (torch.randn(40, 3), torch.arange(40) % 2 * 2 - 1)
    valid = boundkit.analyze(net, data=sample, only=["bounds"])
    monkeypatch.setattr(following, "probed", doubting)
    doubted = boundkit.analyze(net, data=sample, only=["bounds"])

    for bound in ("sparse_cnn", "dense", "toeplitz"):
        certificate = doubted.certificates[bound]
        assert valid.certificates[bound].status == "valid"
        assert certificate.status == "assumed"
        assert "it does something else" in certificate.assumptions[0].detail
        assert certificate.value == valid.certificates[bound].value


def test_a_module_in_memory_is_its_own_architecture():
    report = boundkit.analyze(_net(), n=10, input_shape=(3,), only=["bounds"])

    assert report.conventions["architecture"] == "traced"
    assert report.rho_folded is not None


def test_a_model_without_the_size_of_its_inputs_is_said():
    net = nn.Sequential(nn.Conv1d(1, 1, 1), nn.Flatten(), nn.Linear(3, 1))
    report = boundkit.analyze(net, n=10, only=["bounds"])

    assert [w.code for w in report.warnings] == ["not-traced"]
    assert "--input-shape" in report.warnings[0].message
