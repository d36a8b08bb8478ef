"""The log-depth bound: degrees of every layer, whole patches of the first."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify.chain import chain
from boundkit.certify.rademacher import norms_in_order
from boundkit.certify.sparse_cnn_log import as_dense, degree, sources
from boundkit.certify.unrolled import biased_layers
from boundkit.measure.norms import norms
from tests.certify.examples import certificate, cnn, mlp, seen, stored, told, wired

ENERGY = np.array([1.0, 2, 3, 4, 5, 6])


def opened(module, positions=None):
    network = wired(module, (1, 6))
    evidence = seen(10, positions=positions) if positions is not None else None

    return sources(chain(network), biased_layers(network), evidence, 2.0)


def test_the_head_of_a_flattened_map_reads_every_position():
    stages = chain(wired(cnn(), (1, 6))).stages

    assert [degree(s) for s in stages] == [3, 4]


def test_whole_patches_of_the_first_layer_and_the_degree_of_the_head():
    found = opened(cnn(), ENERGY)

    assert found.energy == 4 + 5 + 6
    np.testing.assert_allclose(found.log_choices, math.log(4), rtol=1e-12)
    np.testing.assert_allclose(found.log_spread, math.log(4), rtol=1e-12)


def test_without_data_no_patch_has_more_than_the_whole_input():
    assert opened(cnn()).energy == 4


def test_padding_that_copies_counts_an_input_as_often_as_it_is_read():
    assert opened(cnn(padding=2, padding_mode="circular")).energy == 4
    assert opened(cnn(padding=2, padding_mode="replicate")).energy == 12


def test_a_bias_is_one_more_source_at_each_position():
    found = opened(cnn(bias=True), ENERGY)

    assert found.energy == 15 + 1
    np.testing.assert_allclose(found.log_choices, math.log(5), rtol=1e-12)


def test_average_pooling_is_free_and_max_pooling_multiplies_by_its_window():
    mean = opened(cnn(1, nn.ReLU(), nn.AvgPool1d(2)), ENERGY)
    largest = opened(cnn(1, nn.ReLU(), nn.MaxPool1d(2)), ENERGY)

    assert (mean.energy, largest.energy) == (15, 15)
    np.testing.assert_allclose(mean.log_spread, math.log(2), rtol=1e-12)
    np.testing.assert_allclose(largest.log_spread, math.log(2 * 2**2), rtol=1e-12)
    np.testing.assert_allclose(largest.log_choices, math.log(2), rtol=1e-12)


def test_pooling_before_the_first_layer_averages_energies():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.AvgPool1d(2), nn.Conv1d(1, 2, 2, bias=False), nn.Flatten()
    ).append(nn.ReLU())
    module.append(nn.Linear(4, 1, bias=False))

    # Means 1.5, 3.5, 5.5; the last patch reads two of them.
    assert opened(module.double(), ENERGY).energy == 3.5 + 5.5


def test_the_value_is_the_formula():
    network = wired(cnn(), (1, 6))
    evidence = seen(500, margins=2.0, positions=ENERGY)
    found = certificate("sparse_cnn_log", network, evidence, gamma=0.7)
    terms = found.terms
    constant = 1 + math.sqrt(2 * (math.log(2) + math.log(4)))
    rho = 10 ** terms["rho_log10"]
    weights = [p.detach().double().norm() for p in cnn().parameters()]

    np.testing.assert_allclose(rho, math.prod(map(float, weights)), rtol=1e-12)
    np.testing.assert_allclose(terms["K_L"], constant, rtol=1e-12)
    np.testing.assert_allclose(
        terms["complexity"],
        2 * rho / terms["gamma"] * constant * math.sqrt(4 * 15 * 500) / 500,
        rtol=1e-12,
    )


def test_several_outputs_cost_the_root_of_their_number():
    terms = certificate("sparse_cnn_log", wired(cnn(5), (1, 6)), told(100)).terms

    assert terms["A_C"] == 2 * math.sqrt(5)
    np.testing.assert_allclose(
        terms["K_L"],
        1 + math.sqrt(2 * (math.log(2) + math.log(4) + math.log(5))),
        rtol=1e-12,
    )


def test_two_outputs_count_by_their_difference():
    module = cnn(2)
    network = wired(module, (1, 6))
    difference = module[-1].weight[1] - module[-1].weight[0]
    terms = certificate("sparse_cnn_log", network, told(100)).terms

    assert terms["A_C"] == 1
    np.testing.assert_allclose(
        10 ** terms["rho_log10"],
        float((module[0].weight.norm() * difference.norm()).detach()),
        rtol=1e-12,
    )


def test_dense_layers_need_no_architecture_but_convolutions_do():
    dense = certificate("sparse_cnn_log", stored(mlp(6, 5, 1)), told(100))
    local = certificate("sparse_cnn_log", stored(cnn()), told(100))

    assert (dense.status, local.status) == ("assumed", "unavailable")
    assert "--model" in local.note
    assert as_dense(stored(mlp(6, 5, 1)), ()).coins == (0.5,)


def test_a_head_that_cannot_be_split_counts_by_both_rows():
    network = stored(mlp(6, 5, 2))
    weights, _ = norms_in_order(
        [x.name for x in network.layers], norms(network), network.outputs
    )

    np.testing.assert_allclose(
        weights[-1],
        norms(network).weight[network.layers[-1].name] * math.sqrt(2),
        rtol=1e-12,
    )


@pytest.mark.parametrize("size", [1, 2])
def test_never_below_the_exact_complexity_of_a_linear_map(size):
    rng = np.random.default_rng(size)
    x = rng.normal(size=(8, 3))
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1).T
    exact = np.linalg.norm(signs @ x, axis=1).mean() / 8
    module = nn.Sequential(nn.Linear(3, 1, bias=False)).double()
    network = wired(module, (3,))
    evidence = seen(8, energy=float((x**2).sum() / 8))
    terms = certificate("sparse_cnn_log", network, evidence, gamma=1.0).terms
    radius = 10 ** terms["rho_log10"] / terms["gamma"]

    assert 2 * radius * exact <= terms["complexity"]
