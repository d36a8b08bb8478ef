"""Patches in three dimensions, against convolution itself."""

import itertools

import pytest
import torch
from torch import nn

from boundkit.layers.geometry import of_module
from boundkit.measure.patches import affordable, patches, spectrum

SETTINGS = list(itertools.product((1, 2, 3), (1, 3), (1, 2), (0, 1), (1, 2)))


@pytest.mark.parametrize(("dims", "kernel", "stride", "padding", "dilation"), SETTINGS)
def test_a_convolution_is_a_matrix_times_the_patches(
    dims, kernel, stride, padding, dilation
):
    torch.manual_seed(0)
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dims - 1]
    layer = kind(2, 3, kernel, stride, padding, dilation, bias=False).double()
    x = torch.randn(2, 2, *(7, 6, 5)[:dims], dtype=torch.float64)

    found = patches(x, of_module(layer)) @ layer.weight.flatten(1).T

    expected = layer(x).flatten(2).transpose(1, 2)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)


def test_the_limits_are_on_patch_size_and_total():
    assert affordable("dense", (1600,))
    assert not affordable("dense", (1601,))
    assert affordable(of_module(nn.Conv2d(1, 1, 4, 4)), (1, 28, 28))
    assert not affordable(of_module(nn.Conv2d(3, 1, 7, 2)), (3, 224, 224))
    assert not affordable(None, (3,))


def test_spectra_sum_to_one_largest_first():
    gram = torch.stack([torch.diag(torch.tensor([1.0, 3.0])), torch.zeros(2, 2)])

    assert spectrum(gram).tolist() == [[0.75, 0.25], [0, 0]]
