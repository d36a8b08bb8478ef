"""What enters a layer is caught as long as the net is watched, and no longer."""

import pytest
import torch
from torch import nn

from boundkit.errors import ModelError
from boundkit.measure.head_inputs import HeadInputs

X = torch.arange(6.0).reshape(3, 2)


class ByKeyword(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(2, 4)

    def forward(self, x):
        return self.last(input=2 * x)


def test_the_last_batch_counts():
    net = nn.Sequential(nn.ReLU(), nn.Linear(2, 4))
    inputs = HeadInputs("1")

    with inputs.watching(net):
        net(X[:1])
        outputs = net(X)
        found = inputs.taken(outputs)

    assert torch.equal(found.features, X)
    assert torch.equal(found.outputs, outputs)


def test_inputs_may_come_by_keyword():
    net, inputs = ByKeyword(), HeadInputs("last")

    with inputs.watching(net):
        found = inputs.taken(net(X))

    assert torch.equal(found.features, 2 * X)


def test_nothing_is_left_on_the_net():
    net, inputs = nn.Linear(2, 4), HeadInputs("")

    with inputs.watching(net):
        pass
    outputs = net(X)

    with pytest.raises(ModelError, match="ran 0 times as a module"):
        inputs.taken(outputs)
    assert not net._forward_hooks
    assert not net._forward_pre_hooks


def test_one_row_of_features_for_each_sample_is_needed():
    net, inputs = (
        nn.Sequential(nn.Unflatten(0, (1, 3)), nn.Linear(2, 4)),
        HeadInputs("1"),
    )

    with inputs.watching(net):
        outputs = net(X)

        with pytest.raises(
            ModelError, match=r"'1' gives shape \(1, 3, 4\) but the net"
        ):
            inputs.taken(outputs[0])
