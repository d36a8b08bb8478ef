"""Routes: as the chain where there are no additions, as many paths as there are."""

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify.chain import chain, path_counts
from boundkit.certify.residual_steps import steps
from boundkit.certify.residual_walk import routes
from boundkit.errors import NotApplicable
from tests.certify.examples import cnn, mlp, wired
from tests.certify.residual_nets import Sum, conv, dense, line, local, local_block, net


def found(module, shape, log_ratio=0.0, square=1.0):
    of = steps(wired(module, shape))
    ratios = {
        (step.name, number): np.array([log_ratio])
        for step in of.steps
        for number in range(len(step.inputs))
        if number != step.main
    }
    return routes(of, ratios, 1, {step.name: square for step in of.steps})


CHAINS = {
    "dense": (mlp(3, 4, 5, 1), (3,)),
    "biases": (cnn(bias=True), (1, 6)),
    "padded": (cnn(1, nn.LeakyReLU(0.3), padding=1), (1, 6)),
    "max pooling": (cnn(1, nn.ReLU(), nn.MaxPool1d(2)), (1, 6)),
    "average pooling": (cnn(1, nn.ReLU(), nn.AvgPool1d(3, 1)), (1, 6)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_without_additions_there_is_one_route_and_it_is_the_chain(name):
    module, shape = CHAINS[name]
    (route,) = found(module, shape)
    links = chain(wired(module, shape))
    counts = path_counts(links)

    np.testing.assert_allclose(np.atleast_1d(route.counts), counts.inputs, rtol=1e-12)
    np.testing.assert_allclose(route.first, counts.first_outputs, rtol=1e-12)
    assert route.coins == tuple(sorted(links.coins, reverse=True))
    biased = wired(module, shape).layers[0].bias is not None
    assert route.constants == (sum(counts.biases) if biased else 0)
    assert route.main


@pytest.mark.parametrize("after", [None, nn.ReLU])
@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_blocks_of_one_geometry_meet_again(blocks, after):
    several = found(dense(blocks, after=after), (3,), np.log(2.0))
    weights = sum(np.exp(route.log_weight[0]) for route in several)

    # On vectors all routes through a sum that an activation seals are alike.
    assert len(several) == (blocks + 1 if after is None else 2)
    np.testing.assert_allclose(weights, 3.0**blocks, rtol=1e-12)


def test_all_routes_together_have_all_paths():
    body = [
        local_block(),
        local_block(stride=2, skip=conv(2, 2, 1, stride=2)),
        Sum(
            nn.Sequential(nn.AvgPool1d(3, 1, 1), conv(2, 2)), nn.Sequential(conv(2, 2))
        ),
    ]
    module = net(conv(1, 2, padding=1), *body, nn.Flatten(), line(2, 1))
    total = sum(route.counts for route in found(module, (1, 6)))

    ones = net(
        conv(1, 1, padding=1),
        local_block(1),
        local_block(1, stride=2, skip=conv(1, 1, 1, stride=2)),
        Sum(
            nn.Sequential(nn.AvgPool1d(3, 1, 1, count_include_pad=False), conv(1, 1)),
            conv(1, 1),
        ),
        nn.Flatten(),
        line(1, 1),
    )
    for weight in ones.parameters():
        nn.init.ones_(weight)
    x = torch.zeros(1, 1, 6, dtype=torch.float64, requires_grad=True)
    # Where nothing is negative ReLU is the identity, and a gradient counts paths.
    ones(x + 1.0).sum().backward()
    np.testing.assert_allclose(total, x.grad[0, 0].numpy(), rtol=1e-12)


def test_a_constant_goes_on_with_the_main_summand_only():
    several = found(local(bias=True), (1, 6))
    constants = {route.main: route.constants for route in several}

    # The head's one, and the stem's: one path from each of 6 positions.
    assert constants[True] == 1 + 6
    # In the branch: the last layer's, those of its first through the taps that meet a
    # position, and the stem's through both: 5 + 8 + 9 + 9 + 8 + 5. Not the head's.
    assert constants[False] == 6 + 16 + 44


def test_constants_count_by_the_square_of_their_scale():
    one, other = (
        sorted(route.constants for route in found(local(bias=True), (1, 6), square=s))
        for s in (1.0, 0.25)
    )

    np.testing.assert_allclose(other, [0.25 * c for c in one], rtol=1e-12)


def test_unlike_blocks_in_great_number_are_not_covered():
    body = [local_block(1, stride=1) for _ in range(13)]
    for number, part in enumerate(body):
        part.branch[0] = conv(1, 1, 2 * number + 3, padding=number + 1)
    module = net(*body, nn.Flatten(), line(40, 1))
    with pytest.raises(NotApplicable, match="more than 4096 different routes"):
        found(module, (1, 40))
