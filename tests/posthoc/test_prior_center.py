"""Where a prior may be centered, and what is refused."""

import pytest
import torch
from torch import nn

from boundkit.errors import ModelError
from boundkit.posthoc.prior_center import neutral, same_tensors
from boundkit.posthoc.settled import settled
from tests.posthoc.nets import cnn, mlp


def test_what_normalization_multiplies_by_starts_at_one():
    net = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    found = neutral(settled(net, (3,)))

    ones = {name for name, value in found.items() if bool((value == 1).all())}
    assert ones == {"1.weight"}
    assert all(bool((found[name] == 0).all()) for name in found.keys() - ones)


def test_a_folded_factor_is_no_longer_counted():
    found = neutral(settled(cnn(), (1, 4, 4)))

    assert set(found) == {"0.weight", "1.bias", "4.weight", "4.bias"}
    assert not any(bool(torch.any(value)) for value in found.values())


def test_nets_that_do_not_fold_alike():
    with pytest.raises(ModelError, match=r"do not fold alike, .* counted in one only"):
        same_tensors(settled(mlp(), (6,)), settled(cnn(), (1, 4, 4)))
