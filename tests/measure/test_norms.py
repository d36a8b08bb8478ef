"""Norms of layers, and of heads as margins see them."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.measure.norms import head_norms, norms


def network_of(module):
    return from_tensors(readers.read(module))[0]


def head(rows, bias=None):
    values = np.asarray(rows, float)
    module = nn.Linear(*values.shape[::-1], bias=bias is not None).double()
    module.weight.data = torch.from_numpy(values)
    if bias is not None:
        module.bias.data = torch.tensor(bias, dtype=torch.float64)
    return network_of(nn.Sequential(module)).layers[0]


def test_every_weight_and_bias_has_its_norm():
    module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1, bias=False)).double()
    found = norms(network_of(module))

    for name in ("0.weight", "1.weight"):
        expected = float(module.get_parameter(name).detach().norm())
        np.testing.assert_allclose(found.weight[name], expected, rtol=1e-12)
    np.testing.assert_allclose(
        found.bias["0.weight"], float(module[0].bias.detach().norm()), rtol=1e-12
    )
    assert list(found.bias) == ["0.weight"]
    assert found.head is None


def test_progress_counts_the_layers():
    calls = []
    norms(
        network_of(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))),
        lambda *c: calls.append(c),
    )

    assert calls == [(1, 2), (2, 2)]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_broken_numbers_are_the_norm(value):
    module = nn.Sequential(nn.Linear(2, 2))
    module[0].weight.data[0, 0] = value
    found = norms(network_of(module)).weight["0.weight"]

    assert math.isnan(found) == math.isnan(value)
    assert not math.isfinite(found)


def test_one_output_is_its_row():
    assert head_norms(head([[3, 4]], [-2])) == (5, 2)


def test_two_outputs_are_their_difference():
    assert head_norms(head([[1, 1], [4, 5]], [1, 3])) == (5, 2)


def test_more_outputs_are_rows_minus_their_mean():
    rows = np.random.default_rng(0).standard_normal((2500, 3)) + 7
    bias = list(rows[:, 0])
    weight, shift = head_norms(head(rows, bias))

    np.testing.assert_allclose(weight, np.linalg.norm(rows - rows.mean(0)), rtol=1e-12)
    np.testing.assert_allclose(
        shift, np.linalg.norm(rows[:, 0] - rows[:, 0].mean()), rtol=1e-12
    )


@pytest.mark.parametrize("classes", [1, 2, 4])
@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_heads_of_any_scale(classes, scale):
    rows = np.random.default_rng(1).standard_normal((classes, 5))

    np.testing.assert_allclose(
        head_norms(head(rows * scale))[0], head_norms(head(rows))[0] * scale, rtol=1e-12
    )


def test_filters_are_rows():
    module = nn.Conv2d(2, 2, 3, bias=False).double()
    layer = network_of(nn.Sequential(module)).layers[0]
    w = module.weight.detach()

    np.testing.assert_allclose(
        head_norms(layer)[0], float((w[1] - w[0]).norm()), rtol=1e-12
    )
