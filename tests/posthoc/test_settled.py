"""BatchNorm becomes numbers that can be counted; the function stays."""

import pytest
import torch
from torch import nn

from boundkit.errors import ModelError
from boundkit.posthoc.coordinates import SHIFTS, coordinates_of, nearest_shift
from boundkit.posthoc.settled import changed_buffers, settled
from tests.posthoc.nets import cnn, mlp


class Before(nn.Module):
    """A BatchNorm that no layer precedes."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(6)
        self.linear = nn.Linear(6, 2)

    def forward(self, x):
        return self.linear(self.norm(x))


class Branching(nn.Module):
    """What tracing cannot follow."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        out = self.norm(self.conv(x)).mean((2, 3))
        return out if float(x.sum()) > 0 else -out


def statistics(net, shape):
    net.train()
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) and part.affine:
                part.weight.uniform_(0.5, 2)
                part.bias.normal_()
        for _ in range(5):
            net(2 * torch.randn(32, *shape) + 1)
    return net.eval()


@pytest.mark.parametrize(
    ("make", "shape", "unfolded"),
    [
        (cnn, (1, 4, 4), ()),
        (Before, (6,), ("norm",)),
        (Branching, (1, 4, 4), ("norm",)),
    ],
)
def test_outputs_stay(make, shape, unfolded):
    torch.manual_seed(1)
    net = statistics(make(), shape)
    x = torch.randn(20, *shape)

    found = settled(net, shape)

    torch.testing.assert_close(found.module(x), net(x), rtol=1e-4, atol=1e-5)
    assert found.unfolded == unfolded
    assert not any("running" in name for name in found.free)


def test_a_folded_norm_leaves_its_summand_only():
    found = settled(statistics(cnn(), (1, 4, 4)), (1, 4, 4))

    assert found.free == ("0.weight", "1.bias", "4.weight", "4.bias")
    assert dict(found.sheared) == {"0.weight": "1.bias"}
    assert found.module[1].weight.eq(1).all()
    assert found.module[1].running_mean.eq(0).all()


def test_a_norm_without_parameters_goes_into_the_bias_before_it():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4, affine=False), nn.ReLU())
    x = torch.randn(20, 6)
    found = settled(statistics(net, (6,)), (6,))

    assert found.free == ("0.weight", "0.bias")
    torch.testing.assert_close(found.module(x), net(x), rtol=1e-4, atol=1e-5)


def test_a_norm_that_nothing_can_take_in_is_counted_with_its_statistics():
    net = nn.Sequential(nn.BatchNorm1d(6, affine=False), nn.Linear(6, 2, bias=False))
    found = settled(statistics(net, (6,)), (6,))

    assert set(found.free) == {"1.weight", "0.running_mean", "0.running_var"}


def test_a_net_without_parameters_is_refused():
    with pytest.raises(ModelError, match="no parameters; give the model"):
        settled(nn.Flatten(), (6,))


def test_buffers_that_training_changed_are_counted():
    fresh, trained = mlp(), mlp()
    for net in (fresh, trained):
        net.register_buffer("table", torch.ones(3))
        net.register_buffer("index", torch.arange(3))
    assert changed_buffers(trained, fresh) == ()

    trained.table.add_(1)

    assert changed_buffers(trained, fresh) == ("table",)
    assert changed_buffers(trained, None) == ("table",)
    assert "table" in settled(trained, (6,), ("table",)).free


def test_whole_numbers_that_training_changed_are_refused():
    fresh, trained = mlp(), mlp()
    for net in (fresh, trained):
        net.register_buffer("index", torch.arange(3))
    trained.index.add_(1)

    with pytest.raises(ModelError, match="the buffer 'index' is not what the model"):
        changed_buffers(trained, fresh)


@pytest.mark.parametrize("shift", [0.0, -1.0, 0.5])
def test_coordinates_go_there_and_back(shift):
    found = settled(cnn(), (1, 4, 4))
    net = coordinates_of(found).shifted(shift)
    vector = net.flattened(found.values())

    for name, value in net.tensors(vector).items():
        torch.testing.assert_close(
            value.float(), found.values()[name], rtol=1e-6, atol=1e-7
        )
    x = torch.randn(5, 1, 4, 4)
    torch.testing.assert_close(
        net.outputs(vector.float(), x), found.module(x), rtol=1e-4, atol=1e-5
    )


def test_a_shift_makes_noise_on_the_background_harmless():
    net = coordinates_of(settled(mlp(), (6,)))
    vector = net.flattened(settled(mlp(), (6,)).values())
    background = torch.full((1, 6), -1.0)
    moved = vector.clone()
    moved[:48] += torch.randn(48, dtype=torch.float64)  # the first weight

    plain, shifted = net.shifted(0.0), net.shifted(-1.0)
    start = shifted.flattened(net.tensors(vector))
    there = start.clone()
    there[:48] += 1.0

    assert not torch.allclose(
        plain.outputs(moved.float(), background),
        plain.outputs(vector.float(), background),
        atol=1e-3,
        rtol=0,
    )
    torch.testing.assert_close(
        shifted.outputs(there.float(), background),
        shifted.outputs(start.float(), background),
        rtol=1e-4,
        atol=1e-4,
    )


def test_the_shift_is_the_median_of_the_inputs():
    x = torch.cat([torch.full((60,), -1.0), torch.rand(40)]).reshape(10, 10)

    assert SHIFTS[nearest_shift(x)] == -1
