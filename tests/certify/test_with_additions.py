"""The certificate of a network with additions: laws, and how often it holds."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify.residual_steps import has_additions
from tests.certify.examples import (
    certificate,
    looked_at,
    mlp,
    seen,
    stored,
    told,
    wired,
)
from tests.certify.residual_nets import Sum, dense, line, net

RNG = np.random.default_rng(0)
MARGINS = RNG.normal(1.5, 0.5, 4000)


def sample(count=1, energy=1.0):
    return seen(0, np.tile(MARGINS, count), energy=energy)


def found(module=None, evidence=None, shape=(3,), **options):
    network = wired(dense() if module is None else module, shape)
    return certificate("sparse_cnn", network, evidence or sample(), **options)


def test_every_factor_by_hand():
    module = dense(1, after=nn.ReLU)
    of = found(module)
    terms = of.terms
    rho = float(module[0].weight.detach().norm() * module[4].weight.detach().norm())
    r = rho / terms["gamma"]
    complexity = 2 * r * terms["K_L"] * terms["S_N"] / 4000

    assert of.status == "valid"
    np.testing.assert_allclose(10 ** terms["rho_log10"], rho, rtol=1e-9)
    np.testing.assert_allclose(terms["complexity"], complexity, rtol=1e-9)
    np.testing.assert_allclose(
        of.value, terms["margin_loss"] + complexity + terms["confidence"], rtol=1e-9
    )
    assert terms["branches"] == 1
    # The share of this margin is paid out of what the ratios left of delta.
    assert terms["delta_j"] <= 0.05 * math.exp(-terms["log_ratio_cost"])


@pytest.mark.parametrize("make", [dense, lambda: dense(2, True, nn.ReLU)])
def test_larger_layers_raise_the_bound(make):
    for name in ("0", "2.branch.0", "2.branch.2"):
        values = []
        for scale in (0.01, 0.3, 1, 3, 100):
            module = make()
            module.get_submodule(name).weight.data *= scale
            values.append(found(module).value)

        assert values == sorted(values)
        assert values[0] < values[-1]


def test_more_samples_more_risk_and_smaller_inputs_lower_it():
    by_size = [found(evidence=sample(k)).value for k in (1, 2, 5, 25)]
    by_risk = [found(delta=d).value for d in (1e-9, 0.01, 0.05, 0.3)]
    by_energy = [found(evidence=sample(energy=e)).value for e in (9, 1)]

    for values in (by_size, by_risk, by_energy):
        assert values == sorted(values, reverse=True)
        assert len(set(values)) == len(values)


def test_a_free_margin_is_never_worse_than_a_fixed_one():
    fixed = [found(gamma=gamma).value for gamma in (0.2, 1, 1.7)]

    assert found().value <= min(fixed) * (1 + 1e-12)


@pytest.mark.parametrize("scale", [0.3, 1, 40])
def test_n_needed_is_where_the_bound_crosses_one(scale):
    module = dense()
    module[0].weight.data *= scale
    needed = found(module, told(10)).terms["n_needed"]

    assert found(module, told(needed)).value < 1
    assert found(module, told(int(needed * 0.98))).value >= 1


def test_without_a_sample_size_it_is_unavailable():
    of = certificate("sparse_cnn", wired(dense(), (3,)), None)

    assert of.status == "unavailable"
    assert of.terms["n_needed"] == found(evidence=told(10)).terms["n_needed"]
    assert of.terms["branches"] == 1


def test_several_outputs_have_the_centered_head():
    module = dense(outputs=4)
    evidence = seen(0, MARGINS, outputs=4)
    before = found(module, evidence).value
    module[-1].weight.data += 100 * torch.randn(4, dtype=torch.float64)

    np.testing.assert_allclose(found(module, evidence).value, before, rtol=1e-9)


def test_a_branch_of_zeros_is_no_constant_network():
    module = dense()
    nn.init.zeros_(module[2].branch[2].weight)
    of = found(module)

    assert of.status == "valid"
    assert any("some branch is zero" in a.detail for a in of.assumptions)


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (net(Sum(line(3, 3)), nn.ReLU(), line(3, 1)), "rows of the identity"),
        (net(line(3, 3), nn.LayerNorm(3), line(3, 1)), "normalization layer LayerNorm"),
    ],
)
def test_what_is_not_covered_is_invalid(module, reason):
    of = found(module)

    assert (of.status, of.value) == ("invalid", None)
    assert any(reason in a.detail for a in of.assumptions if a.holds is False)


def test_numbers_that_are_not_finite_are_invalid():
    module = dense()
    module[2].branch[0].weight.data[0, 0] = torch.nan
    of = found(module)

    assert (of.status, of.value) == ("invalid", None)
    assert any("not finite" in a.detail for a in of.assumptions)


def test_a_weight_that_is_not_read_is_invalid():
    network = wired(dense(), (3,))
    of = certificate(
        "sparse_cnn",
        dataclasses.replace(network, obstacles={"unread": ("a",)}),
        sample(),
    )

    assert (of.status, of.value) == ("invalid", None)


def test_doubts_leave_it_assumed():
    network = dataclasses.replace(wired(dense(), (3,)), doubts=("it differs",))

    assert certificate("sparse_cnn", network, sample()).status == "assumed"


def test_additions_are_seen_where_nothing_worse_is():
    assert has_additions(wired(dense(), (3,)))
    assert not has_additions(wired(mlp(3, 4, 1), (3,)))
    assert not has_additions(stored(mlp(3, 4, 1)))


def test_the_dense_bound_does_not_speak_of_additions():
    of = certificate("dense", wired(dense(), (3,)), sample())

    assert (of.status, of.value) == ("invalid", None)


def draw(count, generator):
    x = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    x /= x.norm(dim=1, keepdim=True)
    noise = torch.rand(count, generator=generator) < 0.05
    return x, torch.where((x[:, 0] > 0) ^ noise, 1, -1)


@pytest.mark.parametrize("after", [None, nn.ReLU])
def test_trained_networks_err_less_than_certified(after):
    generator = torch.Generator().manual_seed(0)
    below, values = 0, []
    for _ in range(4):
        module = dense(1, after=after)
        x, y = draw(16000, generator)
        optimizer = torch.optim.Adam(module.parameters(), 0.02, weight_decay=1e-3)
        for _ in range(40):
            loss = (1 - y * module(x)[:, 0]).clamp(min=0).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network = wired(module, (3,))
        of = certificate(
            "sparse_cnn", network, looked_at(module, network, x.numpy(), y.numpy())
        )
        x, y = draw(20000, generator)
        error = float((y * module(x)[:, 0] <= 0).double().mean())
        below += error <= of.value
        values.append(of.value)

    assert below == 4
    assert max(values) < 1
