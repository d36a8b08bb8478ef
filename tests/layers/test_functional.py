"""Calls are understood in all their spellings."""

import operator

import pytest
import torch
from torch import nn
from torch.nn import functional

from boundkit.layers.functional import equivalent, is_addition


@pytest.mark.parametrize(
    ("target", "arguments", "keywords", "module"),
    [
        (functional.relu, (), {"inplace": True}, nn.ReLU()),
        ("relu_", (), {}, nn.ReLU()),
        (functional.leaky_relu, (0.2,), {}, nn.LeakyReLU(0.2)),
        (functional.leaky_relu, (), {"negative_slope": 0.2}, nn.LeakyReLU(0.2)),
        (functional.max_pool2d, (3, 2), {"padding": 1}, nn.MaxPool2d(3, 2, 1)),
        (functional.avg_pool2d, (3,), {}, nn.AvgPool2d(3)),
        (functional.adaptive_avg_pool2d, (1,), {}, nn.AdaptiveAvgPool2d(1)),
        (functional.dropout2d, (0.1, False), {}, nn.Dropout2d(0.1)),
    ],
)
def test_calls_are_described_by_the_module_that_does_the_same(
    target, arguments, keywords, module
):
    found = equivalent(target, arguments, keywords)

    assert repr(found) == repr(module)
    assert not found.training


def test_functional_dropout_is_on_unless_it_is_switched_off():
    assert equivalent(functional.dropout, (), {}).training
    assert equivalent(torch.sin, (), {}) is None


def test_additions_are_known_in_all_their_spellings():
    spellings = (operator.add, operator.iadd, torch.add, "add", "add_")
    assert all(map(is_addition, spellings))
    assert not is_addition(operator.sub)
