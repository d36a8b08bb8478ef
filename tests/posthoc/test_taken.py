"""Networks that no statement about single inputs can be made of."""

import pytest
import torch
from torch import nn

import boundkit
from boundkit.errors import ModelError
from boundkit.posthoc.taken import place_of, require_independent
from tests.posthoc.nets import mlp, sample, trained


class Together(nn.Module):
    """Adds what it knows of the whole batch."""

    def __init__(self):
        super().__init__()
        self.inner = mlp()

    def forward(self, x):
        outputs = self.inner(x)
        return outputs + outputs.mean(0)


class Squeezed(nn.Module):
    """Cannot take one sample by itself, as careless models do."""

    def __init__(self):
        super().__init__()
        self.inner = mlp()

    def forward(self, x):
        return self.inner(x[:, :, None].squeeze())


CERTIFY = [boundkit.draw, boundkit.code, boundkit.holdout]


@pytest.mark.parametrize("certify", CERTIFY)
def test_a_net_that_looks_at_its_batch(certify):
    with pytest.raises(ModelError, match="depends on the other samples of its batch"):
        certify(Together().eval(), data=sample())


def test_verification_refuses_it_too():
    net = Together().eval()
    found = boundkit.holdout(mlp().eval(), data=sample())

    with pytest.raises(ModelError, match="depends on the other samples of its batch"):
        boundkit.verify(found, net, data=sample())


@pytest.mark.parametrize("net", [mlp(), Squeezed()])
@pytest.mark.parametrize("size", [2, 31, 32])
def test_others_are_let_through(net, size):
    require_independent(net.eval(), sample()[0][:size] if size != 31 else sample()[0])


def test_nan_is_not_a_difference():
    net = nn.Linear(6, 3)
    with torch.no_grad():
        net.weight[0, 0] = torch.nan

    require_independent(net, sample()[0][:8])


@pytest.mark.parametrize("certify", [boundkit.draw, boundkit.code])
def test_weights_that_are_not_finite(certify):
    net = trained(mlp, *sample(), steps=5)
    with torch.no_grad():
        net[0].weight[0, 0] = torch.nan

    with pytest.raises(ModelError, match=r"'0\.weight' holds NaN or infinite weights"):
        certify(net, data=sample())


def test_numbers_that_overflow():
    net = trained(mlp, *sample(), steps=5)
    with torch.no_grad():
        net[0].weight.mul_(1e20)

    with pytest.raises(ModelError, match="too large for 32 bits, so there is no post"):
        boundkit.draw(net, data=sample(), budget=60)


def test_only_paths_are_places():
    assert place_of("a.pt") == "a.pt"
    assert place_of(None) is None
    assert place_of(mlp()) is None
