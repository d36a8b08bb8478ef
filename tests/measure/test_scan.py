"""Every tensor that holds a broken number is named, and only those."""

import math

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from boundkit import readers
from boundkit.layers import from_tensors
from boundkit.measure.norms import norms
from boundkit.measure.scan import non_finite


def found_in(source):
    checkpoint = readers.read(source)
    network, _ = from_tensors(checkpoint)
    return dict(non_finite(checkpoint, norms(network)))


def test_sound_weights_have_none():
    assert found_in(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))) == {}


def test_weights_biases_and_buffers_are_counted():
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    module[0].weight.data[0, :2] = math.nan
    module[0].weight.data[1, 0] = -math.inf
    module[0].bias.data[0] = math.inf
    module[1].running_var[1] = math.nan

    assert found_in(module) == {
        "0.weight": (2, 1),
        "0.bias": (0, 1),
        "1.running_var": (1, 0),
    }


def test_finite_numbers_whose_norm_overflows_are_finite():
    assert found_in({"w": torch.full((3, 3), 1e308, dtype=torch.float64)}) == {}


def test_the_same_numbers_under_two_names_count_once():
    shared = torch.full((2, 2), math.nan)
    found = found_in({"a.weight": shared, "b.weight": shared})

    assert list(found.values()) == [(4, 0)]


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_integers_are_finite(dtype):
    assert (
        found_in({"w.weight": torch.ones(2, 2), "n": torch.ones(3, dtype=dtype)}) == {}
    )


def test_a_rebuilt_weight_without_a_direction_is_named():
    module = nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 2)))
    module[0].parametrizations.weight.original1.data[:] = 0

    assert found_in(module) == {"0.weight": (1, 0)}
