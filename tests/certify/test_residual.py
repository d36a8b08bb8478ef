"""The sum over routes: by hand, by its symmetries, and what it is a bound of."""

import dataclasses
import math
import typing

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.residual_enumeration import QUICK, measure
from boundkit.certify.lead_paths import lead_paths
from boundkit.certify.ratio_grid import grid_cost, rounded_up
from boundkit.certify.residual import combined
from boundkit.certify.residual_forms import residual
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


class Whole(typing.NamedTuple):
    """The sum over routes with constants of scale 1."""

    constant: float
    energy: float
    mean_paths: float


def whole(module, shape, ratio, evidence=None):
    network = wired(module, shape)
    of = steps(network)
    log_ratios = {
        (step.name, number): np.array([math.log(ratio)])
        for step in of.steps
        for number in range(len(step.inputs))
        if number != step.main
    }
    unit = {step.name: 1.0 for step in of.steps}
    constant, energy, mean_paths = combined(
        of, network, log_ratios, unit, evidence, 1.0
    ).form(0, 1.0)
    return Whole(constant, energy, mean_paths)


def sizes(module, shape):
    network = wired(module, shape)
    return network, completed(network, norms(network))


def test_one_block_by_hand():
    chained = chain_constant([0.5]) + 0.5 * chain_constant([0.5, 0.5])
    first = dense_constant([0.5]) + 0.5 * dense_constant([0.5, 0.5])
    # Maps of one position have the constants of Theorem A once a bias is a source too.
    found = whole(dense(), (3,), 0.5).constant

    np.testing.assert_allclose(chained, 1.91782, rtol=2e-6)  # printed to 5 decimals
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
        found.constant * math.sqrt(found.energy), expected, rtol=1e-12
    )


@pytest.mark.parametrize("make", [dense, local])
def test_an_activation_on_the_sum_costs_coins(make):
    shape = (3,) if make is dense else (1, 6)
    plain = whole(make(), shape, 1.0).constant
    after = whole(make(after=nn.ReLU), shape, 1.0).constant

    assert plain < after


def test_identity_skips_with_activations_by_hand():
    found = whole(dense(2, after=nn.ReLU), (3,), 2.0)

    np.testing.assert_allclose(
        found.constant, 9 * chain_constant([0.5] * 5), rtol=1e-12
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
        found.constant * math.sqrt(found.energy), sum(by_size), rtol=1e-12
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
        whole(module, (1, 6), 1.0, each).constant for each in (seen, blind)
    )

    assert 0.8 * without < with_data < without


class Unit(nn.Module):
    """A layer divided by its norm, the bias counted at the scale of its input."""

    def __init__(self, layer, scale, constant):
        super().__init__()
        scaled = 0.0
        if layer.bias is not None:
            scaled = float(layer.bias.detach().norm()) / (scale * constant)
        self.norm = math.hypot(float(layer.weight.detach().norm()), scaled)
        self.layer, self.scale = layer, scale

    def forward(self, z):
        return self.layer(z * self.scale) / (self.scale * self.norm)


@pytest.mark.parametrize("after", [None, nn.ReLU])
def test_the_scale_of_the_output_is_the_product_of_the_norms(after):
    module = dense(1, bias=True, after=after)
    network, found = sizes(module, (3,))
    form = residual(network, found, None, 1.0).forms[0]
    # Four layers on vectors: one path from each constant.
    constant = math.sqrt(form.bias_energy / 4)
    stem = Unit(module[0], 1.0, constant)
    first = Unit(module[2].branch[0], stem.norm, constant)
    second = Unit(module[2].branch[2], stem.norm * first.norm, constant)
    head = Unit(module[-1], stem.norm, constant)
    ratio = first.norm * second.norm
    x = torch.randn(20, 3, dtype=torch.float64)
    z = torch.relu(stem(x))
    z = z + ratio * second(torch.relu(first(z)))
    z = z if after is None else torch.relu(z)

    np.testing.assert_allclose(
        form.log_rho, math.log(stem.norm * head.norm), rtol=1e-12
    )
    torch.testing.assert_close(
        module(x), head(z) * stem.norm * head.norm, rtol=1e-9, atol=1e-12
    )
    rounded, k = rounded_up(math.log(ratio), 1)
    assert form.extra["log_ratio_cost"] == pytest.approx(
        grid_cost([k], 1) + math.log(4), rel=1e-12
    )
    # All constants together are one more input of energy 1/16, on either route.
    chained = chain_constant([0.5] * (1 if after is None else 3))
    longer = chain_constant([0.5] * (2 if after is None else 3))
    main = 1 + form.bias_energy / 2
    branch = 1 + form.bias_energy * 3 / 4
    expected = chained + math.exp(rounded) * longer * math.sqrt(branch / main)
    np.testing.assert_allclose(form.energy, main, rtol=1e-12)
    np.testing.assert_allclose(form.constant, expected, rtol=1e-12)


def test_a_projection_is_counted_by_its_ratio():
    skip = conv(2, 2, 1, stride=2)
    module = net(
        conv(1, 2, padding=1), nn.ReLU(), local_block(stride=2, skip=skip), nn.ReLU(),
        nn.Flatten(), line(6, 1),
    )  # fmt: skip
    network, found = sizes(module, (1, 6))
    before = residual(network, found, None, 1.0).forms
    with torch.no_grad():
        module[2].skip.weight *= 3
        module[2].branch[2].weight *= 3
    after = residual(*sizes(module, (1, 6)), None, 1.0).forms

    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(other.log_rho - one.log_rho, math.log(3), rtol=1e-9)
        assert other.constant == pytest.approx(one.constant)
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
    form = residual(network, found, None, 1.0).forms[0]
    norm = [float(module[i].weight.detach().norm()) for i in (0, 3, 6)]
    # 16 taps meet one of the 6 positions with a constant; 9 paths from the middle.
    mean_paths = (5 + 8 + 9) / 3
    energy = mean_paths / 16
    shift = 5.0 / norm[0] * math.sqrt(16 / energy)
    rho = norm[0] * math.hypot(2.0, shift) * norm[1] * norm[2]

    np.testing.assert_allclose(form.log_rho, math.log(rho), rtol=1e-12)
    assert form.log_cost == math.log(2)
    np.testing.assert_allclose(form.energy, 9 + energy, rtol=1e-12)
    np.testing.assert_allclose(form.constant, chain_constant([0.5, 0.5]), rtol=1e-12)


def test_statistics_that_are_not_there_are_told():
    network, found = sizes(normalized([1.0, 1.0], [0.0, 0.0]), (1, 6))
    with pytest.raises(NotApplicable, match="numbers are missing"):
        residual(network, dataclasses.replace(found, affine={}), None, 1.0)


def test_a_branch_of_zeros_costs_next_to_nothing():
    module = dense()
    nn.init.zeros_(module[2].branch[2].weight)
    found = residual(*sizes(module, (3,)), None, 1.0).forms[0]

    np.testing.assert_allclose(
        found.constant,
        dense_constant([0.5]) + dense_constant([0.5, 0.5]) / 256,
        rtol=1e-12,
    )
    np.testing.assert_allclose(found.log_cost, math.log(2 * 4), rtol=1e-12)


def test_the_spread_of_a_branch_is_taken_out_before_rounding():
    module = local()
    network, found = sizes(module, (1, 6))
    of = steps(network)
    (spread,) = lead_paths(of).log_spread.values()
    np.testing.assert_allclose(math.exp(2 * spread), 122 / 16, rtol=1e-12)
    first = float(module[2].branch[0].weight.detach().norm())
    second = float(module[2].branch[2].weight.detach().norm())
    point, k = rounded_up(math.log(first * second) + spread, 1)
    form = residual(network, found, None, 1.0).forms[0]
    expected = chain_constant([0.5]) * math.sqrt(3)
    expected += (
        math.exp(point - spread) * chain_constant([0.5] * 2) * math.sqrt(_most_paths(1))
    )

    np.testing.assert_allclose(
        form.constant * math.sqrt(form.energy), expected, rtol=1e-12
    )
    np.testing.assert_allclose(
        form.log_cost, grid_cost([k], 1) + math.log(4), rtol=1e-12
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
    found = residual(*sizes(module, (3,)), None, 1.0).forms[-1]

    assert math.isfinite(found.constant)
    assert found.log_rho > 3 * 150 * math.log(10) * 0.9
    assert math.isfinite(found.mean_paths)


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

    np.testing.assert_allclose(found.constant, 2 * dense_constant([0.5]), rtol=1e-12)
    assert block().skip is None
