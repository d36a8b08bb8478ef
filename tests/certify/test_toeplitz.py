"""The dense bound on unrolled matrices."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.numerics.coins import chain_constant, dense_constant
from tests.certify.examples import certificate, cnn, mlp, seen, stored, told, wired


def matrix(module, size):
    """The matrix of a linear module on maps of (channels, 6), by basis vectors."""
    basis = torch.eye(math.prod(size), dtype=torch.float64).reshape(-1, *size)
    zero = torch.zeros(1, *size, dtype=torch.float64)
    with torch.no_grad():
        return (module(basis) - module(zero)).flatten(1).T.numpy()


def rho_of(found):
    return 10 ** found.terms["rho_log10"]


def test_norms_are_those_of_the_matrices():
    module = cnn(padding=1)
    found = certificate("toeplitz", wired(module, (1, 6)), seen(5000))
    rho = np.linalg.norm(matrix(module[0], (1, 6)))
    rho *= float(module[3].weight.detach().norm())

    assert found.status == "valid"
    assert found.terms["K_L"] == dense_constant([0.5])
    np.testing.assert_allclose(rho_of(found), rho, rtol=1e-12)


@pytest.mark.parametrize("layers", [2, 3])
def test_a_binary_tree_has_the_patches_of_the_corrected_equation_25(layers):
    steps = []
    for _ in range(layers - 1):
        steps += [nn.Conv1d(1, 1, 2, stride=2, bias=False), nn.ReLU()]
    module = nn.Sequential(*steps, nn.Flatten(), nn.Linear(2, 1, bias=False)).double()
    network = wired(module, (1, 2**layers))
    norms = [float(p.detach().norm()) for p in module.parameters()]
    ratio = rho_of(certificate("toeplitz", network, seen(100))) / math.prod(norms)

    np.testing.assert_allclose(ratio, 2 ** (layers * (layers - 1) / 4), rtol=1e-12)
    if layers == 2:
        # With 2^(L-1); printed is 2^3.5 = 11.31.
        np.testing.assert_allclose(2 * ratio, 2.828, rtol=2e-4)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_averages_count_at_least_by_their_operator_norm(stride):
    pool = nn.AvgPool1d(3, stride)
    module = cnn(1, nn.ReLU(), pool)
    found = certificate("toeplitz", wired(module, (1, 6)), seen(5000))
    rest = np.linalg.norm(matrix(module[0], (1, 6)))
    rest *= float(module[4].weight.detach().norm())
    factor = rho_of(found) / rest

    assert factor <= 1 + 1e-12
    assert factor >= np.linalg.norm(matrix(pool, (3, 4)), 2) * (1 - 1e-12)


def test_biases_enter_once_for_each_position():
    module = cnn(bias=True)
    found = certificate("toeplitz", wired(module, (1, 6)), seen(5000, energy=2.0))
    energy = found.terms["bias_energy"]
    bias = float(module[0].bias.detach().norm()) * math.sqrt(4) * math.sqrt(2 / energy)
    first = math.hypot(np.linalg.norm(matrix(module[0], (1, 6))), bias)
    head = float(module[3].weight.detach().norm())
    last = abs(float(module[3].bias.detach())) * math.sqrt(2 / energy)
    second = math.hypot(head, last / first)

    np.testing.assert_allclose(rho_of(found), first * second, rtol=1e-12)
    np.testing.assert_allclose(found.terms["energy_per_sample"], 2 + energy, rtol=1e-12)
    assert found.terms["K_L"] == chain_constant([0.5])


def test_two_outputs_count_by_their_difference():
    module = cnn(2)
    found = certificate("toeplitz", wired(module, (1, 6)), seen(5000, outputs=2))
    rows = module[3].weight.detach().numpy()
    rho = np.linalg.norm(matrix(module[0], (1, 6))) * np.linalg.norm(rows[1] - rows[0])

    np.testing.assert_allclose(rho_of(found), rho, rtol=1e-12)


@pytest.mark.parametrize("groups", [1, 2])
def test_convolutional_heads_pay_for_the_difference(groups):
    module = nn.Sequential(
        nn.Conv1d(1, 4, 3, bias=False),
        nn.ReLU(),
        nn.Conv1d(4, 2, 1, groups=groups, bias=False),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
    ).double()
    found = certificate("toeplitz", wired(module, (1, 6)), seen(5000, outputs=2))
    head = matrix(nn.Sequential(*module[2:]), (4, 4))
    rho = np.linalg.norm(matrix(module[0], (1, 6))) * np.linalg.norm(head[1] - head[0])

    assert rho_of(found) >= rho * (1 - 1e-12)


def test_max_pooling_does_not_unroll():
    found = certificate(
        "toeplitz", wired(cnn(1, nn.ReLU(), nn.MaxPool1d(2)), (1, 6)), told(100)
    )

    assert (found.status, found.value) == ("invalid", None)
    assert any("max pooling is not a matrix" in a.detail for a in found.assumptions)


def test_tensors_alone_do_not_unroll():
    found = certificate("toeplitz", stored(mlp(3, 1)), told(100))

    assert (found.status, found.value) == ("unavailable", None)
    assert "--input-shape" in found.note


def test_unrolling_a_convolution_costs_more_than_counting_paths():
    network = wired(cnn(1, padding=1), (1, 6))
    evidence = seen(5000, positions=np.ones(6))
    naive = certificate("toeplitz", network, evidence)

    assert naive.value > certificate("sparse_cnn", network, evidence).value
