"""Sizes of BatchNorms that stay in a network."""

import dataclasses
import math

import numpy as np
import torch
from torch import nn

from boundkit.measure.affine import affine_sizes
from tests.certify.examples import mlp, stored, wired


def normalized():
    norm = nn.BatchNorm1d(2)
    module = nn.Sequential(norm, nn.Linear(2, 1)).double().eval()
    with torch.no_grad():
        norm.running_mean.copy_(torch.tensor([1.0, -1.0]))
        norm.running_var.copy_(torch.tensor([4.0, 16.0]).double() - norm.eps)
        norm.weight.copy_(torch.tensor([2.0, -12.0]))
        norm.bias.copy_(torch.tensor([1.0, 0.0]))
    return module


def test_the_largest_factor_and_the_norm_of_the_summands():
    found = affine_sizes(wired(normalized(), (2,)))

    # Factors 1 and -3; summands 1 - 1 = 0 and 0 - 3 = -3.
    np.testing.assert_allclose(found["0"], (3.0, 3.0), rtol=1e-12)


def test_numbers_that_are_not_finite_or_not_there_have_no_size():
    module = normalized()
    module[0].running_mean[0] = math.nan
    network = wired(normalized(), (2,))

    assert not affine_sizes(wired(module, (2,)))
    assert not affine_sizes(dataclasses.replace(network, vectors={}))


def test_networks_without_normalization_have_none():
    assert not affine_sizes(wired(mlp(2, 1), (2,)))
    assert not affine_sizes(stored(mlp(2, 1)))
