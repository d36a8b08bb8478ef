"""Sizes of layers as matrices on whole maps."""

import math

import numpy as np
import torch
from torch import nn

from boundkit.measure.completion import completed
from boundkit.measure.norms import norms
from boundkit.measure.unrolled import is_plain_chain, matrix_norms
from tests.certify.examples import cnn, mlp, stored, wired


def matrix(module, size):
    basis = torch.eye(math.prod(size), dtype=torch.float64).reshape(-1, *size)
    zero = torch.zeros(1, *size, dtype=torch.float64)
    with torch.no_grad():
        return (module(basis) - module(zero)).flatten(1).T.numpy()


def test_a_convolution_is_its_matrix():
    module = cnn(bias=True, padding=1)
    found = matrix_norms(wired(module, (1, 6)))["0.weight"]
    unrolled = matrix(module[0], (1, 6))
    bias = np.repeat(module[0].bias.detach().numpy(), 6)

    assert np.linalg.norm(unrolled, 2) <= found.operator
    np.testing.assert_allclose(
        (found.rows, found.largest_row, found.all_rows),
        (
            np.linalg.norm(unrolled, axis=1).sum(),
            np.abs(unrolled).sum(axis=1).max(),
            np.abs(unrolled).sum(),
        ),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        (found.bias, found.bias_rows, found.largest_bias),
        (np.linalg.norm(bias), np.abs(bias).sum(), np.abs(bias).max()),
        rtol=1e-12,
    )


def head(module, shape):
    network = wired(module, shape)
    return completed(network, norms(network)).head_matrix


def test_two_outputs_are_their_difference():
    module = mlp(6, 2, bias=True)
    weight, bias = (p.detach().numpy() for p in module.parameters())
    found = head(module, (6,))

    np.testing.assert_allclose(
        (found.rows, found.all_rows, found.largest_bias),
        (
            np.linalg.norm(weight[1] - weight[0]),
            np.abs(weight[1] - weight[0]).sum(),
            abs(bias[1] - bias[0]),
        ),
        rtol=1e-12,
    )


def test_several_outputs_are_centered():
    module = mlp(6, 5)
    (weight,) = (p.detach().numpy() for p in module.parameters())
    centered = weight - weight.mean(axis=0)
    found = head(module, (6,))

    np.testing.assert_allclose(
        found.operator,
        np.linalg.norm(centered, 2),
        # The factor that covers rounding.
        rtol=2e-9,
    )
    np.testing.assert_allclose(
        (found.rows, found.all_rows),
        (
            np.linalg.norm(centered, axis=1).sum(),
            np.abs(weight - np.median(weight, axis=0)).sum(),
        ),
        rtol=1e-12,
    )


def test_a_shift_of_all_outputs_changes_nothing():
    module = mlp(6, 5, bias=True)
    before = head(module, (6,))
    with torch.no_grad():
        module[0].weight += torch.linspace(-1, 1, 6, dtype=torch.float64)
        module[0].bias += 3
    after = head(module, (6,))

    for name in ("operator", "rows", "largest_row", "all_rows", "bias", "bias_rows"):
        np.testing.assert_allclose(
            getattr(after, name), getattr(before, name), rtol=1e-8, err_msg=name
        )


def test_a_head_whose_rows_cannot_be_told_apart_counts_by_both():
    module = nn.Sequential(
        nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Conv1d(2, 2, 4, groups=2), nn.Flatten()
    ).double()
    network = wired(module, (1, 6))
    sizes = completed(network, norms(network))
    whole, found = sizes.matrix["2.weight"], sizes.head_matrix
    rows = matrix(module[2], (2, 4))

    np.testing.assert_allclose(found.operator, whole.operator * 2**0.5, rtol=1e-12)
    assert np.linalg.norm(rows[1] - rows[0]) <= min(found.operator, found.rows)
    assert np.abs(rows[1] - rows[0]).sum() <= found.largest_row * (1 + 1e-12)


def test_a_tied_weight_has_the_larger_of_its_sizes():
    conv = nn.Conv1d(1, 1, 3, bias=False)
    module = nn.Sequential(conv, nn.ReLU(), conv, nn.Flatten(), nn.Linear(2, 1))
    found = matrix_norms(wired(module.double(), (1, 6)))["0.weight"]

    np.testing.assert_allclose(
        found.rows, 4 * float(conv.weight.detach().norm()), rtol=1e-12
    )


def test_without_an_architecture_only_dense_layers_have_sizes():
    assert list(matrix_norms(stored(cnn()))) == ["3.weight"]


def test_residual_networks_are_left_alone():
    assert is_plain_chain(stored(cnn()))
    assert not is_plain_chain(
        wired(nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3)).double(), (3,))
    )
