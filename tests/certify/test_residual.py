"""The sum over routes: by hand, by its symmetries, and what it is a bound of."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.residual_enumeration import QUICK, measure
from boundkit.certify.residual import combined, grid_cost, residual, rounded_up
from boundkit.certify.residual_steps import steps
from boundkit.errors import NotApplicable
from boundkit.measure.completion import completed
from boundkit.measure.norms import norms
from boundkit.numerics.coins import chain_constant, dense_constant
from boundkit.types import Evidence
from tests.certify.examples import looked_at, wired
from tests.certify.residual_nets import (
    Sum,
    block,
    conv,
    dense,
    line,
    local,
    local_block,
    net,
)


def whole(module, shape, ratio, evidence=None):
    network = wired(module, shape)
    of = steps(network)
    log_ratios = {
        (step.name, number): np.array([math.log(ratio)])
        for step in of.steps
        for number in range(len(step.inputs))
        if number != step.main
    }
    return combined(of, network, log_ratios, 1, evidence, 1.0)


def sizes(module, shape):
    network = wired(module, shape)
    return network, completed(network, norms(network))


def test_one_block_by_hand():
    chained = chain_constant([0.5]) + 0.5 * chain_constant([0.5, 0.5])
    first = dense_constant([0.5]) + 0.5 * dense_constant([0.5, 0.5])
    # Maps of one position have the constants of Theorem A once a bias is a source too.
    found = whole(dense(), (3,), 0.5).constant[0]

    np.testing.assert_allclose(chained, 1.9178, rtol=5e-5)  # printed to 4 decimals
    np.testing.assert_allclose(found, first, rtol=1e-12)
    assert found < chained


def test_one_block_of_convolutions_by_hand():
    module = net(conv(1, 2, 1), nn.ReLU(), local_block(), nn.Flatten(), line(12, 1))
    energy = np.array([1.0, 0.0, 0.0, 2.0, 0.0, 0.0])
    sample = Evidence(9, None, 0, 3.0, 2.0, position_energy=energy)
    found = whole(module, (1, 6), 0.5, sample)
    # Two padded windows of 3: 5, 8, 9, 9, 8, 5 paths.
    expected = chain_constant([0.5]) * math.sqrt(3)
    expected += 0.5 * chain_constant([0.5, 0.5]) * math.sqrt(5 * 1 + 9 * 2)

    np.testing.assert_allclose(
        found.constant[0] * math.sqrt(found.energy), expected, rtol=1e-12
    )


@pytest.mark.parametrize("make", [dense, local])
def test_an_activation_on_the_sum_costs_coins(make):
    shape = (3,) if make is dense else (1, 6)
    plain = whole(make(), shape, 1.0).constant[0]
    after = whole(make(after=nn.ReLU), shape, 1.0).constant[0]

    assert plain < after


def test_identity_skips_with_activations_by_hand():
    found = whole(dense(2, after=nn.ReLU), (3,), 2.0)

    np.testing.assert_allclose(
        found.constant[0], 9 * chain_constant([0.5] * 5), rtol=1e-12
    )


def test_equal_blocks_make_elementary_symmetric_polynomials():
    found = whole(local(3), (1, 6), 0.3)
    by_size = [
        math.comb(3, m)
        * 0.3**m
        * chain_constant([0.5] * (m + 1))
        * math.sqrt(_most_paths(m))
        for m in range(4)
    ]

    np.testing.assert_allclose(
        found.constant[0] * math.sqrt(found.energy), sum(by_size), rtol=1e-12
    )


def _most_paths(blocks):
    paths = np.ones(6)
    for _ in range(2 * blocks + 1):
        paths = np.convolve(paths, np.ones(3))[1:-1]
    return paths.max()


def test_patches_of_the_sample_lower_every_route():
    module = local().float()
    network = wired(module, (1, 6))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 1, 6)).astype(np.float32)
    seen = looked_at(module, network, x, rng.choice([-1, 1], 200))
    blind = dataclasses.replace(seen, patch_spectrum=None)
    with_data, without = (
        whole(module, (1, 6), 1.0, each).constant[0] for each in (seen, blind)
    )

    assert 0.8 * without < with_data < without


class Unit(nn.Module):
    """A layer divided by its norm, the bias counted at the scale of its input."""

    def __init__(self, layer, scale):
        super().__init__()
        bias = 0.0 if layer.bias is None else float(layer.bias.detach().norm()) / scale
        self.norm = math.hypot(float(layer.weight.detach().norm()), bias)
        self.layer, self.scale = layer, scale

    def forward(self, z):
        return self.layer(z * self.scale) / (self.scale * self.norm)


@pytest.mark.parametrize("after", [None, nn.ReLU])
def test_the_scale_of_the_output_is_the_product_of_the_norms(after):
    module = dense(1, bias=True, after=after)
    network, found = sizes(module, (3,))
    form = residual(network, found, None, 1.0)[0]
    stem = Unit(module[0], 1.0)
    first = Unit(module[2].branch[0], stem.norm)
    second = Unit(module[2].branch[2], stem.norm * first.norm)
    head = Unit(module[-1], stem.norm)
    ratio = first.norm * second.norm
    x = torch.randn(20, 3, dtype=torch.float64)
    z = torch.relu(stem(x))
    z = z + ratio * second(torch.relu(first(z)))
    z = z if after is None else torch.relu(z)

    np.testing.assert_allclose(
        form.complexity.log_rho, math.log(stem.norm * head.norm), rtol=1e-12
    )
    torch.testing.assert_close(
        module(x), head(z) * stem.norm * head.norm, rtol=1e-9, atol=1e-12
    )
    rounded, k = rounded_up(math.log(ratio), 1)
    assert form.log_cost == pytest.approx(grid_cost([k]) + math.log(4), rel=1e-12)
    at_grid = whole(module, (3,), math.exp(rounded)).constant[0]
    np.testing.assert_allclose(form.complexity.constant, at_grid, rtol=1e-12)


def test_a_projection_is_counted_by_its_ratio():
    skip = conv(2, 2, 1, stride=2)
    module = net(
        conv(1, 2, padding=1), nn.ReLU(), local_block(stride=2, skip=skip), nn.ReLU(),
        nn.Flatten(), line(6, 1),
    )  # fmt: skip
    network, found = sizes(module, (1, 6))
    before = residual(network, found, None, 1.0)
    with torch.no_grad():
        module[2].skip.weight *= 3
        module[2].branch[2].weight *= 3
    after = residual(*sizes(module, (1, 6)), None, 1.0)

    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(
            other.complexity.log_rho - one.complexity.log_rho, math.log(3), rtol=1e-9
        )
        assert other.complexity.constant == pytest.approx(one.complexity.constant)
        assert other.log_cost == one.log_cost


def normalized(factor, shift):
    norm = nn.BatchNorm1d(2)
    module = net(conv(1, 2, padding=1), nn.ReLU(), norm, conv(2, 2, padding=1))
    module.extend([nn.ReLU(), nn.Flatten(), line(12, 1)]).double()
    with torch.no_grad():
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.copy_(torch.tensor(factor))
        norm.bias.copy_(torch.tensor(shift))
    return module


def test_a_normalization_that_stays_is_a_layer_without_a_coin():
    module = normalized([-2.0, 1.0], [3.0, 4.0])
    network, found = sizes(module, (1, 6))
    (form,) = residual(network, found, None, 1.0)
    norm = [float(module[i].weight.detach().norm()) for i in (0, 3, 6)]
    rho = norm[0] * math.hypot(2.0, 5.0 / norm[0]) * norm[1] * norm[2]

    np.testing.assert_allclose(form.complexity.log_rho, math.log(rho), rtol=1e-12)
    assert form.log_cost == 0
    # 9 paths from the middle; 6 positions with a constant, 16 taps that meet one.
    np.testing.assert_allclose(form.complexity.energy, 9 + 16, rtol=1e-12)
    np.testing.assert_allclose(
        form.complexity.constant, chain_constant([0.5, 0.5]), rtol=1e-12
    )


def test_statistics_that_are_not_there_are_told():
    network, found = sizes(normalized([1.0, 1.0], [0.0, 0.0]), (1, 6))
    with pytest.raises(NotApplicable, match="numbers are missing"):
        residual(network, dataclasses.replace(found, affine={}), None, 1.0)


def test_a_branch_of_zeros_costs_the_smallest_ratio():
    module = dense()
    nn.init.zeros_(module[2].branch[2].weight)
    found = residual(*sizes(module, (3,)), None, 1.0)[0]

    np.testing.assert_allclose(
        found.complexity.constant,
        dense_constant([0.5]) + 0.1 * dense_constant([0.5, 0.5]),
        rtol=1e-12,
    )


def test_a_stem_of_zeros_is_told():
    module = dense()
    nn.init.zeros_(module[0].weight)
    with pytest.raises(NotApplicable, match="every route passes is zero"):
        residual(*sizes(module, (3,)), None, 1.0)


def test_ratios_beyond_floats_go_into_rho():
    module = dense(3)
    for k in (2, 3, 4):
        module[k].branch[2].weight.data *= 1e150
    found = residual(*sizes(module, (3,)), None, 1.0)[-1].complexity

    assert math.isfinite(found.constant)
    assert found.log_rho > 3 * 150 * math.log(10) * 0.9
    assert math.isfinite(found.mean_paths)


@pytest.mark.parametrize("per_octave", [1, 2, 8])
@pytest.mark.parametrize("ratio", [0.0, 0.01, 0.1, 0.5, 1.0, 7.3, 1e9])
def test_ratios_are_rounded_up_to_the_next_point(ratio, per_octave):
    log_ratio = math.log(ratio) if ratio else -math.inf
    value, k = rounded_up(log_ratio, per_octave)

    np.testing.assert_allclose(math.exp(value), 0.1 * 2 ** (k / per_octave), rtol=1e-12)
    assert value >= log_ratio - 1e-12
    assert k == 0 or value - math.log(2) / per_octave < log_ratio


def test_shares_of_delta_sum_to_one():
    shares = [math.exp(-grid_cost([k])) for k in range(2000)]

    np.testing.assert_allclose(sum(shares), 1 - 1 / 2001, rtol=1e-9)
    np.testing.assert_allclose(
        grid_cost([3, 4]), grid_cost([3]) + grid_cost([4]), rtol=1e-12
    )


@pytest.mark.parametrize(("seed", "name"), list(enumerate(QUICK)))
def test_exact_complexity_stays_below_the_bound(seed, name):
    found = measure(name, seed, starts=4, steps_taken=80)

    assert 0 < found.exact <= found.second
    assert found.exact <= found.bound


def test_the_search_finds_what_all_routes_together_give():
    found = measure("linear skip, r 2", 0, starts=8, steps_taken=150)

    # Skip and branch both pass the same vector on: nearly 1 + r times S_N.
    assert found.exact > 0.8 * 3 * found.scale


def test_a_block_that_does_nothing_new():
    module = net(line(3, 4), nn.ReLU(), Sum(nn.Identity()), line(4, 1))
    found = whole(module, (3,), 1.0)

    np.testing.assert_allclose(found.constant[0], 2 * dense_constant([0.5]), rtol=1e-12)
    assert block().skip is None
