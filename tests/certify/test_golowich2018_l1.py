"""l1 norms of rows, and the logarithm of the number of inputs."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.certify.golowich2018_l1 import printed_complexity
from tests.certify.examples import certificate, cnn, mlp, seen, stored, told, wired


def terms(module, shape=(1, 6), evidence=None):
    evidence = told(100) if evidence is None else evidence
    return certificate("golowich2018_l1", wired(module, shape), evidence).terms


def test_the_printed_complexity():
    np.testing.assert_allclose(
        printed_complexity(2, 4, 3, 25, 100), 0.6283045, rtol=1e-7
    )


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("inputs", [1, 4, 3072])
def test_ours_is_below_the_printed_one(depth, inputs):
    found = terms(mlp(inputs, *[3] * (depth - 1), 1), (inputs,))
    printed = 100 * printed_complexity(depth, inputs, 1, 1, 100)

    np.testing.assert_allclose(
        found["K_L"], math.sqrt(2 * math.log(2**depth * inputs)), rtol=1e-12
    )
    assert found["K_L"] <= 0.71 * printed


def test_a_convolution_counts_by_its_largest_filter():
    module = cnn()
    filters = module[0].weight.abs().sum((1, 2)).max()

    np.testing.assert_allclose(
        10 ** terms(module)["rho_log10"],
        float((filters * module[-1].weight.abs().sum()).detach()),
        rtol=1e-12,
    )


def test_the_data_term_is_the_largest_coordinate():
    x = seen(100, positions=np.array([1.0, 5, 2, 1, 1, 1]))

    assert terms(cnn(), evidence=x)["energy_per_sample"] == 5


def test_several_outputs_count_by_all_their_rows_minus_the_median():
    module = cnn(3)
    rows = module[-1].weight
    apart = (rows - rows.median(0).values).abs().sum()
    found = terms(module)

    np.testing.assert_allclose(
        10 ** found["rho_log10"],
        float((module[0].weight.abs().sum((1, 2)).max() * apart).detach()),
        rtol=1e-12,
    )
    assert found["A_C"] == 2
    np.testing.assert_allclose(
        found["K_L"], math.sqrt(2 * math.log(4 * 6 * 3)), rtol=1e-12
    )


def test_biases_add_to_rows_and_a_constant_to_the_inputs():
    module = mlp(2, 1, bias=True)
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[1.0, -2.0]]))
        module[0].bias.fill_(4.0)
    found = terms(module, (2,), seen(100, energy=0.5))

    np.testing.assert_allclose(10 ** found["rho_log10"], 7, rtol=1e-12)
    assert found["energy_per_sample"] == 1
    np.testing.assert_allclose(found["K_L"], math.sqrt(2 * math.log(2 * 3)), rtol=1e-12)


def test_max_pooling_multiplies_by_its_window():
    plain = terms(cnn(1, nn.ReLU(), nn.AvgPool1d(2)))["K_L"]
    largest = terms(cnn(1, nn.ReLU(), nn.MaxPool1d(2)))["K_L"]

    np.testing.assert_allclose(largest, 2 * plain, rtol=1e-12)


def test_never_below_the_exact_complexity_of_a_linear_map():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 3))
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1).T
    exact = np.abs(signs @ x).max(axis=1).mean()
    bound = math.sqrt(2 * math.log(2 * 3) * (x**2).sum(axis=0).max())

    assert exact <= bound
    found = terms(mlp(3, 1), (3,), seen(8, energy=float((x**2).sum(0).max() / 8)))
    np.testing.assert_allclose(
        found["K_L"] * math.sqrt(8 * found["energy_per_sample"]), bound, rtol=1e-12
    )


def test_dense_layers_need_no_architecture_but_convolutions_do():
    dense = certificate("golowich2018_l1", stored(mlp(6, 5, 1)), told(100))
    local = certificate("golowich2018_l1", stored(cnn()), told(100))

    assert (dense.status, local.status) == ("assumed", "unavailable")
    assert "--model" in local.note
