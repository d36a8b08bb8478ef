"""Geometry agrees with what torch's own modules put out."""

import itertools

import pytest
import torch
from torch import nn

from boundkit.errors import ModelError
from boundkit.layers.geometry import (
    adaptive_window,
    of_module,
    output_size,
    whole_window,
)
from boundkit.types import Geometry


def _convolutions():
    settings = itertools.product((1, 3), (1, 2), (0, 2), (1, 2))
    for kernel, stride, padding, dilation in settings:
        yield nn.Conv1d(2, 4, kernel, stride, padding, dilation, groups=2)
        yield nn.Conv2d(2, 4, (kernel, 2), (stride, 1), (padding, 0), dilation)
        yield nn.Conv3d(2, 4, kernel, stride, padding, dilation)
        yield nn.ConvTranspose1d(2, 4, kernel, 2, dilation=dilation, output_padding=1)
        yield nn.ConvTranspose2d(2, 4, kernel, stride, min(padding, 1))
        if stride == 1:
            yield nn.Conv2d(2, 4, (kernel, 4), padding="same", dilation=2)
            yield nn.Conv2d(2, 4, kernel, padding="valid")


def _pools():
    yield nn.MaxPool1d(3, 2, 1)
    yield nn.MaxPool2d((2, 3), padding=(0, 1), dilation=2)
    yield nn.MaxPool3d(2)
    yield nn.AvgPool1d(3, 2, 1)
    yield nn.AvgPool2d((2, 3))
    yield nn.AvgPool3d(2, 1)


@pytest.mark.parametrize("module", [*_convolutions(), *_pools()], ids=str)
def test_the_output_size_is_torchs(module):
    geometry = of_module(module)
    size = (9, 10, 11)[: len(geometry.kernel)]

    found = module(torch.zeros(1, 2, *size))

    assert output_size(geometry, size) == tuple(found.shape[2:])


def test_same_padding_is_longer_at_the_end():
    module = nn.Conv2d(1, 1, (4, 3), padding="same", padding_mode="reflect")

    geometry = of_module(module)

    assert geometry.padding == ((1, 2), (1, 1))
    assert geometry.padding_mode == "reflect"


def test_padding_of_pools_counts_only_where_it_enters_the_mean():
    assert of_module(nn.AvgPool2d(2, padding=1)).padding_mode == "zeros"
    uncounted = nn.AvgPool2d(2, padding=1, count_include_pad=False)
    assert of_module(uncounted).padding_mode == "uncounted"
    assert of_module(nn.MaxPool2d(2, padding=1)).padding_mode == "uncounted"
    assert of_module(nn.MaxPool2d(2)).padding_mode == "zeros"


@pytest.mark.parametrize(
    "module", [nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm2d(2), nn.AdaptiveAvgPool2d(1)]
)
def test_modules_without_a_fixed_window_have_no_geometry(module):
    assert of_module(module) is None


def test_adaptive_windows_are_equal_or_none():
    assert adaptive_window((6, 4), (3, 1)) == Geometry(
        (2, 4), (2, 4), ((0, 0), (0, 0)), (1, 1)
    )
    assert adaptive_window((5, 4), (3, 1)) is None
    assert adaptive_window((5,), (5, 1)) is None
    assert whole_window((5, 4)) == adaptive_window((5, 4), (1, 1))


def test_windows_that_do_not_fit_are_refused():
    geometry = whole_window((3, 3))

    with pytest.raises(ModelError, match="a window of 2 dimensions cannot move over 1"):
        output_size(geometry, (5,))
    with pytest.raises(ModelError, match=r"a window of \(3, 3\) does not fit into"):
        output_size(geometry, (5, 2))
