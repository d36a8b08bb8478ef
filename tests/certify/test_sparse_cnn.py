"""The headline bound: its pieces by hand, and what each architecture earns."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify.bias_scales import bias_scale, scaled
from boundkit.certify.chain import chain, path_counts
from boundkit.certify.rademacher import (
    Complexity,
    conclude,
    log_product,
    norms_in_order,
)
from boundkit.certify.sparse_cnn import _positions
from boundkit.measure.completion import completed
from boundkit.measure.norms import norms
from boundkit.numerics.coins import chain_constant, dense_constant
from boundkit.types import Layer, StoredTensor
from tests.certify.examples import (
    certificate,
    cnn,
    looked_at,
    mlp,
    seen,
    stored,
    told,
    wired,
)


def norm(module, name):
    return float(module.get_parameter(name).detach().norm())


def test_every_factor_of_a_convolution_by_hand():
    module = cnn()
    energy = np.array([1.0, 2.0, 0.0, 1.0, 3.0, 0.5])
    found = certificate(
        "sparse_cnn", wired(module, (1, 6)), seen(5000, 2.0, positions=energy)
    )
    paths = np.array([1, 2, 3, 3, 2, 1])
    rho = norm(module, "0.weight") * norm(module, "3.weight")

    assert found.status == "valid"
    assert found.terms["K_L"] == chain_constant([0.5])
    np.testing.assert_allclose(10 ** found.terms["rho_log10"], rho, rtol=1e-12)
    np.testing.assert_allclose(
        found.terms["S_N"] ** 2, 5000 * (paths @ energy), rtol=1e-12
    )
    assert found.terms["mean_paths"] == 2
    r = rho / found.terms["gamma"]
    expected = 2 * r * found.terms["K_L"] * found.terms["S_N"] / 5000
    np.testing.assert_allclose(found.terms["complexity"], expected, rtol=1e-12)
    total = found.terms["margin_loss"] + expected + found.terms["confidence"]
    np.testing.assert_allclose(found.value, total, rtol=1e-12)


def test_biases_enter_the_norm_and_the_energy():
    module = cnn(bias=True)
    network = wired(module, (1, 6))
    found = certificate("sparse_cnn", network, seen(5000, positions=np.ones(6)))
    energy = found.terms["bias_energy"]
    # Two biases; 4 paths from the first, one from the other.
    at_conv = norm(module, "0.bias") * math.sqrt(2 * 4 / energy)
    at_head = norm(module, "3.bias") * math.sqrt(2 / energy)
    first = math.hypot(norm(module, "0.weight"), at_conv)
    second = math.hypot(norm(module, "3.weight"), at_head / first)

    np.testing.assert_allclose(
        10 ** found.terms["rho_log10"], first * second, rtol=1e-12
    )
    # 12 paths from the input.
    np.testing.assert_allclose(
        found.terms["energy_per_sample"], 12 + energy, rtol=1e-12
    )
    assert found.terms["K_L"] == chain_constant([0.5])


@pytest.mark.parametrize("factor", [1e-4, 0.1, 1.0, 30.0, 1e5])
def test_the_scale_of_biases_follows_that_of_the_inputs(factor):
    module = cnn(bias=True)
    plain = certificate("sparse_cnn", wired(module, (1, 6)), seen(5000, energy=1.0))
    with torch.no_grad():
        module[0].bias *= factor
        module[3].bias *= factor
    found = certificate(
        "sparse_cnn", wired(module, (1, 6)), seen(5000, factor, energy=factor**2)
    )
    terms, others = found.terms, plain.terms
    size, other = (
        t["rho_log10"] + math.log10(t["energy_per_sample"]) / 2 for t in (terms, others)
    )

    # The same function of inputs and biases in other units, on a grid of factors of 2.
    np.testing.assert_allclose(size - math.log10(factor), other, atol=0.06, rtol=0)


def test_the_best_scale_of_biases_is_found():
    module = cnn(bias=True)
    network = wired(module, (1, 6))
    sample = seen(5000, 2.0, energy=3.0)
    found = certificate("sparse_cnn", network, sample)
    sizes = completed(network, norms(network))
    of = chain(network)
    weights, biases = norms_in_order(of.layers, sizes, 1)
    pieces = Complexity(0.0, chain_constant(of.coins), "", 1, 3 * 3.0 + 0.0, 2.0, 2)
    values = []
    for step in range(-8, 9):
        scale = bias_scale(step, 2.0)
        form = dataclasses.replace(
            pieces,
            log_rho=log_product(weights, scaled(biases, (4.0, 1.0), scale)),
            energy=pieces.energy + scale.energy,
            mean_paths=2.0 + scale.energy,
            log_cost=scale.log_cost,
        )
        values.append(conclude(form, (), sample, 0.05, None, 1.0).log10)

    np.testing.assert_allclose(found.log10, min(values), rtol=1e-9)


def test_only_layers_that_have_a_bias_pay_for_it():
    module = cnn()
    module[3] = nn.Linear(12, 1, bias=True).double()
    found = certificate(
        "sparse_cnn", wired(module, (1, 6)), seen(5000, positions=np.ones(6))
    )

    energy = found.terms["bias_energy"]
    first = norm(module, "0.weight")
    last = math.hypot(
        norm(module, "3.weight"), norm(module, "3.bias") / first / math.sqrt(energy)
    )
    np.testing.assert_allclose(10 ** found.terms["rho_log10"], first * last, rtol=1e-12)
    np.testing.assert_allclose(
        found.terms["energy_per_sample"], 12 + energy, rtol=1e-12
    )


def test_a_bias_that_came_out_as_zero_is_still_one():
    module = mlp(3, 4, 1, bias=True)
    for name, part in module.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(part)
    found = certificate("sparse_cnn", wired(module, (3,)), seen(100))

    assert found.terms["energy_per_sample"] == 1 + found.terms["bias_energy"]
    assert found.terms["bias_energy"] > 0
    assert found.terms["K_L"] == chain_constant([0.5])


def test_the_smaller_constant_of_dense_networks_is_for_one_source_and_output():
    plain = certificate("sparse_cnn", wired(mlp(3, 4, 1), (3,)), seen(100))
    biased = certificate("sparse_cnn", wired(mlp(3, 4, 1, bias=True), (3,)), seen(100))
    several = certificate("sparse_cnn", wired(mlp(3, 4, 3), (3,)), seen(100, outputs=3))

    assert plain.terms["K_L"] == dense_constant([0.5]) < chain_constant([0.5])
    assert biased.terms["K_L"] == several.terms["K_L"] == chain_constant([0.5])


@pytest.mark.parametrize(
    ("outputs", "factor"), [(2, 1), (3, 2), (10, 1 + math.sqrt(5))]
)
def test_heads_count_by_what_margins_see(outputs, factor):
    module = mlp(4, 6, outputs)
    rows = module[2].weight.detach().numpy()
    head = (
        np.linalg.norm(rows[1] - rows[0])
        if outputs == 2
        else np.linalg.norm(rows - rows.mean(0))
    )
    found = certificate("sparse_cnn", wired(module, (4,)), seen(100, outputs=outputs))

    np.testing.assert_allclose(
        10 ** found.terms["rho_log10"], norm(module, "0.weight") * head, rtol=1e-12
    )
    np.testing.assert_allclose(found.terms["A_C"], factor, rtol=1e-12)


def test_margins_do_not_see_a_common_row():
    module = mlp(4, 6, 5)
    before = certificate("sparse_cnn", wired(module, (4,)), seen(500, outputs=5))
    module[2].weight.data += 100 * torch.randn(6, dtype=torch.float64)
    after = certificate("sparse_cnn", wired(module, (4,)), seen(500, outputs=5))

    np.testing.assert_allclose(after.value, before.value, rtol=1e-9)


@pytest.mark.parametrize(
    "head",
    [
        nn.Conv1d(4, 2, 4, groups=2, bias=False),
        nn.ConvTranspose1d(4, 2, 1, bias=False),
    ],
)
def test_heads_without_rows_pay_for_the_difference(head):
    body = (nn.Conv1d(1, 4, 3, bias=False), nn.ReLU())
    size = 6
    if isinstance(head, nn.ConvTranspose1d):
        body, size = (nn.Conv1d(1, 4, 6, bias=False), nn.ReLU()), 6
    module = nn.Sequential(*body, head, nn.Flatten()).double()
    found = certificate("sparse_cnn", wired(module, (1, size)), seen(100, outputs=2))
    rho = norm(module, "0.weight") * norm(module, "2.weight") * math.sqrt(2)

    assert found.status == "valid"
    np.testing.assert_allclose(10 ** found.terms["rho_log10"], rho, rtol=1e-12)


def test_slopes_above_one_multiply_rho():
    flat = certificate(
        "sparse_cnn",
        wired(mlp(3, 4, 1, act=lambda: nn.LeakyReLU(0.5)), (3,)),
        seen(100),
    )
    steep = certificate(
        "sparse_cnn",
        wired(mlp(3, 4, 1, act=lambda: nn.LeakyReLU(2.0)), (3,)),
        seen(100),
    )

    # LeakyReLU(2)(t) = -2 LeakyReLU(1/2)(-t).
    np.testing.assert_allclose(
        steep.terms["rho_log10"] - flat.terms["rho_log10"], math.log10(2), rtol=1e-9
    )
    assert steep.terms["K_L"] == flat.terms["K_L"]


def test_max_pooling_costs_windows_and_a_heavier_coin():
    module = cnn(1, nn.ReLU(), nn.MaxPool1d(2))
    found = certificate(
        "sparse_cnn", wired(module, (1, 6)), seen(100, positions=np.ones(6))
    )

    np.testing.assert_allclose(
        found.terms["K_L"], 0.25 + 0.75 * math.sqrt(2), rtol=1e-12
    )
    np.testing.assert_allclose(found.terms["energy_per_sample"], 24, rtol=1e-12)


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular"])
@pytest.mark.parametrize("between", [(), (nn.ReLU(), nn.AvgPool1d(2))])
def test_patches_of_the_sample_never_raise_the_constant(padding_mode, between):
    module = cnn(1, *between, padding=1, padding_mode=padding_mode).float()
    network = wired(module, (1, 6))
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 1, 6)).astype(np.float32)
    y = rng.choice([-1, 1], 200)
    evidence = looked_at(module, network, x, y)
    with_data = certificate("sparse_cnn", network, evidence)
    without = certificate(
        "sparse_cnn", network, dataclasses.replace(evidence, patch_spectrum=None)
    )

    assert with_data.terms["K_L"] < without.terms["K_L"] == chain_constant([0.5])
    assert "patch covariances" in with_data.terms["K_L_kind"]
    # The energies of the patches are those of the positions, path by path.
    of_patches = (
        path_counts(chain(network)).first_outputs.ravel() @ evidence.patch_energy
    )
    np.testing.assert_allclose(
        with_data.terms["energy_per_sample"], of_patches, rtol=1e-5
    )


def test_a_pass_over_data_is_the_same_bound_as_by_hand():
    module = mlp(5, 8, 1).float()
    network = wired(module, (5,))
    rng = np.random.default_rng(2)
    x = rng.standard_normal((300, 5)).astype(np.float32)
    y = np.sign(x[:, 0]).astype(int)
    evidence = looked_at(module, network, x, y)
    found = certificate("sparse_cnn", network, evidence)

    with torch.no_grad():
        f = module(torch.from_numpy(x)).squeeze(1).double().numpy()
    ramp = np.clip(1 - y * f / found.terms["gamma"], 0, 1).mean()
    np.testing.assert_allclose(found.terms["margin_loss"], ramp, rtol=1e-9)
    np.testing.assert_allclose(
        found.terms["S_N"], np.linalg.norm(x.astype(np.float64)), rtol=1e-9
    )


def test_without_data_inputs_take_their_worst_place():
    network = wired(cnn(), (1, 6))
    found = certificate("sparse_cnn", network, told(100, 2.0), input_norm=2.0)

    assert found.status == "assumed"
    np.testing.assert_allclose(found.terms["energy_per_sample"], 3 * 4, rtol=1e-12)


def test_energy_on_other_positions_takes_its_worst_place():
    found = certificate("sparse_cnn", wired(cnn(), (1, 6)), seen(100, energy=2.0))

    np.testing.assert_allclose(found.terms["energy_per_sample"], 3 * 2, rtol=1e-12)


def test_tensors_alone_are_assumed():
    found = certificate("sparse_cnn", stored(cnn()), told(1000))

    assert found.status == "assumed"
    assert found.terms["K_L"] == chain_constant([0.5])
    assert found.terms["S_N"] == pytest.approx(math.sqrt(1000), rel=1e-12)
    opened = {a.name for a in found.assumptions if a.holds is None}
    assert "paths from input to output are counted" in opened
    assert "training margins are known" in opened


def test_biases_of_convolutions_enter_at_every_position_of_the_tree():
    plain = certificate("sparse_cnn", stored(cnn(bias=False)), told(1000))
    found = certificate("sparse_cnn", stored(cnn(bias=True)), told(1000))
    added = found.terms["energy_per_sample"] - plain.terms["energy_per_sample"]
    module = cnn(bias=True)
    energy = found.terms["bias_energy"]
    first = math.hypot(
        norm(module, "0.weight"), norm(module, "0.bias") * math.sqrt(2 * 4 / energy)
    )
    head = norm(module, "3.bias") * math.sqrt(2 / energy) / first
    rho = first * math.hypot(norm(module, "3.weight"), head)

    assert found.status == "assumed"
    assert added == energy
    assert _positions(stored(cnn(bias=True)).layers) == [4, 1]
    np.testing.assert_allclose(10 ** found.terms["rho_log10"], rho, rtol=1e-12)


def test_dense_biases_need_none():
    found = certificate("sparse_cnn", stored(mlp(3, 4, 1, bias=True)), told(1000))

    assert found.status == "assumed"
    np.testing.assert_allclose(
        found.terms["energy_per_sample"], 1 + found.terms["bias_energy"], rtol=1e-12
    )


def test_positions_of_a_tree_follow_from_shapes():
    layers = (
        Layer("a", "conv2d", StoredTensor((8, 1, 2, 2), "float32", None)),
        Layer("b", "conv2d", StoredTensor((16, 8, 3, 3), "float32", None)),
        Layer("c", "linear", StoredTensor((5, 16 * 4), "float32", None)),
        Layer("d", "linear", StoredTensor((2, 5), "float32", None)),
    )

    assert _positions(layers) == [4 * 9, 4, 1, 1]
