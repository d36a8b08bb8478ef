"""Path counts along one way for every node."""

import math

import numpy as np
import pytest
from torch import nn

from boundkit.certify.chain import chain, path_counts
from boundkit.certify.lead_paths import lead_paths
from boundkit.certify.residual_steps import steps
from tests.certify.examples import cnn, wired
from tests.certify.residual_nets import Sum, conv, dense, line, local, net


def found(module, shape):
    return lead_paths(steps(wired(module, shape)))


def test_without_additions_they_are_those_of_the_chain():
    module = cnn(bias=True)
    of = found(module, (1, 6))
    counts = path_counts(chain(wired(module, (1, 6))))

    np.testing.assert_allclose(of.inputs, counts.inputs, rtol=1e-12)
    assert sorted(of.constants.values()) == sorted(counts.biases)
    assert of.main >= of.constants.keys()
    assert of.log_spread == {}


def test_constants_go_past_the_branches_that_follow():
    # Two blocks of two padded windows of 3, each on 6 positions.
    of = found(local(2, bias=True), (1, 6))
    paths = sorted(of.constants.values())

    # Head; stem and both outer layers: one path each from 6 positions; inner ones:
    # through the taps of the outer layer that meet a position.
    assert paths == [1, 6, 6, 6, 16, 16]
    assert len(of.main & of.constants.keys()) == 2


@pytest.mark.parametrize("blocks", [1, 3])
def test_on_vectors_branches_have_no_spread(blocks):
    of = found(dense(blocks), (3,))

    assert len(of.log_spread) == blocks
    assert set(of.log_spread.values()) == {0.0}


def test_every_block_of_one_geometry_has_the_same_spread():
    # Taps of the stem that meet the input: 2, 3, 3, 3, 3, 2; onward through the two
    # windows of a block lead 5, 8, 9, 9, 8, 5 paths, past it one.
    of = found(local(3), (1, 6))

    np.testing.assert_allclose(
        [math.exp(2 * s) for s in of.log_spread.values()], [122 / 16] * 3, rtol=1e-12
    )


def test_the_way_with_fewest_layers_leads():
    branch = nn.Sequential(conv(2, 2), nn.ReLU(), conv(2, 2, 1))
    module = net(
        conv(1, 2, 1, bias=True),
        Sum(branch, conv(2, 2, 5, padding=1)),
        nn.Flatten(),
        line(8, 1),
    )
    of = found(module, (1, 6))

    # Four windows of 5 without the two taps on the padding; the branch has 4 * 3.
    assert list(of.constants.values()) == [18]
    (spread,) = of.log_spread.values()
    np.testing.assert_allclose(math.exp(2 * spread), 12 / 18, rtol=1e-12)
