"""What each node means for the routes through it, and what is not covered."""

import dataclasses

import pytest
import torch
from torch import nn

from boundkit.certify.residual_steps import steps
from boundkit.errors import NotApplicable
from boundkit.types import Node
from tests.certify.examples import mlp, stored, wired
from tests.certify.residual_nets import Sum, block, conv, dense, line, local, net


def by_name(module, shape):
    found = steps(wired(module, shape))
    return {step.name: step for step in found.steps}


def test_the_skip_carries_the_scale():
    found = steps(wired(dense(), (3,)))
    add = next(step for step in found.steps if len(step.inputs) == 2)

    assert add.inputs[add.main] == "1"
    assert found.head == "3"
    assert found.layers == 4


def test_of_two_routes_with_layers_the_shorter_one_carries_the_scale():
    module = net(Sum(nn.Sequential(line(3, 4), nn.ReLU(), line(4, 2)), line(3, 2)))
    module.append(line(2, 1).double())
    add = next(s for s in steps(wired(module, (3,))).steps if len(s.inputs) == 2)

    assert add.inputs[add.main] == "0.skip"


def test_a_linear_skip_seals_nothing():
    found = steps(wired(dense(2), (3,)))

    assert all(step.sealed is None for step in found.steps)


def test_an_activation_on_a_sum_tosses_the_coins_of_the_longest_route():
    found = steps(wired(dense(2, after=nn.ReLU), (3,)))
    sealed = [step.sealed for step in found.steps if step.sealed is not None]

    # The stem's, one in the branch and one behind the sum; once more per block.
    assert sealed[-1] == (0.5,) * 5
    # The activation in the second branch acts on a layer again.
    assert len(sealed) == 2


def test_coins_of_a_route_are_at_least_those_of_each():
    body = Sum(
        nn.Sequential(line(4, 4), nn.LeakyReLU(0.5), line(4, 4), nn.ReLU(), line(4, 4)),
        nn.Sequential(line(4, 4), nn.LeakyReLU(-1.0), line(4, 4)),
    )
    found = steps(wired(net(line(3, 4), body, nn.ReLU(), line(4, 1)), (3,)))

    assert [s.sealed for s in found.steps if s.sealed] == [(1.0, 0.5, 0.25)]


def test_only_layers_that_read_the_input_itself_are_first():
    module = net(nn.Flatten(), line(6, 4), nn.ReLU(), block(), line(4, 1))
    found = by_name(module, (1, 6))

    assert [name for name, step in found.items() if step.first] == ["1"]


def test_max_pooling_and_its_activation_are_one_coin():
    module = net(
        conv(1, 2),
        nn.ReLU(),
        nn.MaxPool1d(2),
        Sum(conv(2, 2, 1)),
        nn.Flatten(),
        line(4, 1),
    )
    found = by_name(module, (1, 6))

    assert (found["1"].coins, found["2"].coins) == ((), (0.75,))


@pytest.mark.parametrize(
    "parts", [(nn.ReLU(), nn.MaxPool1d(2)), (nn.MaxPool1d(2), nn.ReLU())]
)
def test_pooling_of_a_sum_seals_once(parts):
    module = net(conv(1, 2), Sum(conv(2, 2, 1)), *parts, nn.Flatten(), line(4, 1))
    found = steps(wired(module, (1, 6)))

    assert [s.sealed for s in found.steps if s.sealed] == [(0.75,)]


class Raw(nn.Module):
    """Everything that one lambda says."""

    def __init__(self, run, **parts):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.run(self, x)


REFUSED = {
    "acts on a sum with the input itself": net(Sum(line(3, 3)), nn.ReLU(), line(3, 1)),
    "stands before any layer": net(nn.ReLU(), line(3, 4), block(), line(4, 1)),
    "several outputs are a sum": net(line(3, 4), nn.ReLU(), block()),
    "followed by an activation": net(line(3, 4), block(), line(4, 1), nn.ReLU()),
    "operation GELU is not covered": net(line(3, 4), nn.GELU(), block(), line(4, 1)),
    "activation PReLU|operation PReLU": net(
        line(3, 4), nn.PReLU(), block(), line(4, 1)
    ),
    "normalization layer LayerNorm": net(
        line(3, 4), nn.LayerNorm(4), block(), line(4, 1)
    ),
    "the network branches at cat|operation cat": Raw(
        lambda s, x: s.b(torch.cat([x, s.a(x)], 1)) + x,
        a=line(3, 3),
        b=line(6, 3),
    ).double(),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_not_covered_is_told(reason):
    with pytest.raises(NotApplicable, match=reason):
        steps(wired(REFUSED[reason], (3,)))


def test_an_output_with_several_positions_is_told():
    module = net(conv(1, 2), Sum(conv(2, 2, 1)), conv(2, 1))
    with pytest.raises(NotApplicable, match="the output has several positions"):
        steps(wired(module, (1, 6)))


def test_pooling_and_an_activation_that_may_fall_are_two_coins():
    module = net(
        conv(1, 2),
        nn.LeakyReLU(-1.0),
        nn.MaxPool1d(2),
        Sum(conv(2, 2, 1)),
        nn.Flatten(),
        line(4, 1),
    )
    found = by_name(module, (1, 6))

    assert (found["1"].coins, found["2"].coins) == ((1.0,), (0.5,))


def test_rows_that_no_longer_correspond_are_told():
    flat = nn.Sequential(nn.Flatten(), line(6, 8))
    body = Sum(nn.Sequential(conv(1, 2), nn.Flatten()), flat)
    with pytest.raises(NotApplicable, match="positions made features"):
        steps(wired(net(body, nn.ReLU(), line(8, 1)), (1, 6)))


def test_tensors_alone_have_no_routes():
    with pytest.raises(NotApplicable, match="architecture is not known"):
        steps(stored(mlp(3, 4, 1)))


def test_one_input_at_a_time():
    network = wired(local(), (1, 6))
    second = Node("second", "input", (), (1, 6))
    with pytest.raises(NotApplicable, match="several inputs"):
        steps(dataclasses.replace(network, nodes=(*network.nodes, second)))
