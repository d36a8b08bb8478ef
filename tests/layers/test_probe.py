"""Running a module leaves no trace on it, and shows whether it is homogeneous."""

import warnings

import pytest
import torch
from torch import nn

from boundkit.layers.probe import (
    copied,
    evaluating,
    is_homogeneous,
    precision,
    random_inputs,
)

X = torch.rand(4, 6)


class Scaled(nn.Module):
    """f(x) = 0 for all x."""

    def forward(self, x):
        return 0 * x


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Sequential(nn.Linear(6, 5, bias=False), nn.ReLU()), True),
        (nn.Sequential(nn.Linear(6, 5, bias=False), nn.LeakyReLU(0.3)), True),
        (nn.Linear(6, 5), False),
        (nn.Sequential(nn.Linear(6, 5, bias=False), nn.GELU()), False),
        (nn.Dropout(0.5), True),
        (nn.BatchNorm1d(6, affine=False), True),
        (Scaled(), None),
        (nn.Linear(7, 2), None),
    ],
)
def test_positive_homogeneity_is_seen(module, expected):
    torch.manual_seed(0)

    assert is_homogeneous(module, X) is expected


def test_a_bias_a_thousand_times_smaller_than_the_outputs_is_seen():
    module = nn.Linear(6, 5)
    with torch.no_grad():
        module.weight.fill_(1)
        module.bias.fill_(1e-3)

    assert is_homogeneous(module, X) is False


def test_training_flags_come_back_even_after_an_error():
    module = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(3).eval())

    def fail():
        with evaluating(module):
            assert not any(part.training for part in module.modules())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert [part.training for part in module.modules()] == [True, True, False]


def test_random_inputs_are_the_same_each_time_in_the_precision_of_the_module():
    module = nn.Linear(2, 2).double()

    assert precision(module) == torch.float64
    assert precision(nn.ReLU()) is None
    assert random_inputs(nn.ReLU(), (1,)).dtype == torch.float32
    assert torch.equal(random_inputs(module, (3, 2)), random_inputs(module, (3, 2)))
    assert random_inputs(module, (3, 2)).dtype == torch.float64


def test_modules_whose_weights_hooks_compute_can_be_copied():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch deprecates it
        module = nn.utils.weight_norm(nn.Linear(6, 5))

    twin = copied(module)
    with torch.no_grad():
        twin.weight_g.zero_()

    assert torch.equal(twin(X), twin.bias.expand(4, 5))
    assert not torch.equal(module(X), module.bias.expand(4, 5))
