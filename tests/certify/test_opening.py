"""What would mend an assumption that does not hold."""

import pytest
import torch
from torch import nn

from boundkit.certify import BOUNDS
from tests.certify.examples import certificate, stored, told, wired
from tests.certify.residual_nets import Sum, dense, line, net

ON_CHAINS = tuple(b.id for b in BOUNDS if b.id not in {"dense", "holdout"})
ON_ONE_OUTPUT = tuple(name for name in ON_CHAINS if name != "sparse_cnn")


def normalized(layer):
    torch.manual_seed(0)
    return stored(
        nn.Sequential(
            nn.Linear(3, 4, bias=False), layer, nn.ReLU(), nn.Linear(4, 1, bias=False)
        )
    )


@pytest.mark.parametrize("bound", ON_CHAINS)
def test_batch_norm_can_be_folded_where_the_architecture_is_known(bound):
    of = certificate(bound, normalized(nn.BatchNorm1d(4)), told(100))

    assert of.status == "invalid"
    assert of.note.startswith("eval-mode BatchNorm is an affine map")
    assert of.note.endswith("give --model, with --data or --input-shape")


@pytest.mark.parametrize("layer", [nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.PReLU(4)])
@pytest.mark.parametrize("bound", ON_CHAINS)
def test_tensors_that_may_be_no_batch_norm_are_not_called_one(bound, layer):
    of = certificate(bound, normalized(layer), told(100))

    assert of.status == "invalid"
    assert of.note == (
        "what these tensors do, the architecture would tell: give --model, with --data "
        "or --input-shape"
    )


@pytest.mark.parametrize("bound", ON_ONE_OUTPUT)
def test_additions_are_covered_elsewhere(bound):
    of = certificate(bound, wired(dense(), (3,)), told(100))

    assert of.status == "invalid"
    assert of.note == "sparse_cnn covers additions and the BatchNorms that stay"


@pytest.mark.parametrize("bound", ON_CHAINS)
def test_nothing_is_promised_where_no_bound_would_hold(bound):
    module = net(Sum(line(3, 3)), nn.ReLU(), line(3, 1))
    of = certificate(bound, wired(module, (3,)), told(100))

    assert (of.status, of.note) == ("invalid", "")
