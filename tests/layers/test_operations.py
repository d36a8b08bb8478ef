"""Each rule says what the module does, or that it is unknown."""

import pytest
import torch
from torch import nn

from boundkit.layers.operations import (
    describe,
    is_plain,
    pooled,
    reshaped,
)


class OwnForward(nn.ReLU):
    def forward(self, x):
        return x.abs()


class SameForward(nn.Conv2d):
    pass


def _described(module, shape):
    module.eval()
    target = tuple(module(torch.zeros(2, *shape)).shape[1:])
    return describe(module, shape, target)


@pytest.mark.parametrize(
    ("module", "shape", "op"),
    [
        (nn.Linear(4, 3), (4,), "layer"),
        (nn.Linear(4, 3), (5, 4), "unknown"),
        (nn.Linear(4, 3), (2, 5, 4), "unknown"),
        (nn.Conv1d(4, 3, 2), (4, 6), "layer"),
        (nn.ConvTranspose3d(4, 3, 2), (4, 3, 3, 3), "layer"),
        (SameForward(4, 3, 2), (4, 6, 6), "layer"),
        (nn.ReLU(), (4,), "activation"),
        (OwnForward(), (4,), "unknown"),
        (nn.ReLU6(), (4,), "unknown"),
        (nn.PReLU(), (4,), "unknown"),
        (nn.GELU(), (4,), "unknown"),
        (nn.Sigmoid(), (4,), "unknown"),
        (nn.Softmax(1), (4,), "unknown"),
        (nn.Dropout(0.5), (4,), "identity"),
        (nn.Identity(), (4,), "identity"),
        (nn.BatchNorm2d(4), (4, 5, 5), "norm"),
        (nn.GroupNorm(2, 4), (4, 5, 5), "norm"),
        (nn.LayerNorm(4), (4,), "norm"),
        (nn.Flatten(), (4, 5, 5), "flatten"),
        (nn.Flatten(2), (4, 5, 5), "flatten"),
        (nn.Flatten(), (4,), "identity"),
        (nn.Unflatten(1, (1, 2, 2)), (4,), "unknown"),
        (nn.MaxPool2d(2), (4, 6, 6), "max_pool"),
        (nn.MaxPool2d(2, ceil_mode=True), (4, 5, 5), "max_pool"),
        (nn.AvgPool2d(2), (4, 6, 6), "average_pool"),
        (nn.AvgPool2d(2, ceil_mode=True), (4, 6, 6), "average_pool"),
        (nn.AvgPool2d(2, ceil_mode=True), (4, 5, 5), "unknown"),
        (nn.AvgPool2d(2, divisor_override=4), (4, 6, 6), "average_pool"),
        (nn.AvgPool2d(2, divisor_override=3), (4, 6, 6), "unknown"),
        (nn.AdaptiveAvgPool2d(1), (4, 6, 5), "average_pool"),
        (nn.AdaptiveAvgPool2d(2), (4, 6, 5), "unknown"),
        (nn.AdaptiveMaxPool1d(3), (4, 6), "max_pool"),
        (nn.PixelShuffle(2), (4, 6, 6), "unknown"),
    ],
    ids=str,
)
def test_modules_are_what_their_class_says(module, shape, op):
    found = _described(module, shape)

    assert found.op == op
    if op == "unknown":
        assert type(module).__name__ in found.detail or "reshape" in found.detail


def test_details_are_kept():
    assert _described(nn.LeakyReLU(0.3), (4,)).slope == pytest.approx(0.3, rel=1e-12)
    assert _described(nn.ReLU(), (4,)).slope == 0
    assert _described(nn.BatchNorm2d(4), (4, 5, 5)).detail == "BatchNorm2d"
    assert _described(nn.Linear(4, 3), (4,)).detail == "bias"
    assert not _described(nn.Linear(4, 3, bias=False), (4,)).detail
    assert _described(nn.Conv2d(4, 3, 3, 2, 1), (4, 5, 5)).geometry.stride == (2, 2)


def test_a_window_that_hangs_over_is_padded_at_the_end():
    found = _described(nn.MaxPool2d(2, ceil_mode=True), (4, 5, 6))

    assert found.geometry.padding == ((0, 1), (0, 0))
    assert found.geometry.padding_mode == "uncounted"


def test_dropout_that_is_on_is_not_an_identity():
    assert describe(nn.Dropout(0.5).train(), (4,), (4,)).op == "unknown"


def test_a_forward_put_on_the_instance_is_not_plain():
    module = nn.ReLU()
    assert is_plain(module)

    module.forward = torch.abs

    assert not is_plain(module)


@pytest.mark.parametrize(
    ("source", "target", "op"),
    [
        ((4, 5, 5), (100,), "flatten"),
        ((4, 5, 5), (100, 1, 1), "flatten"),
        ((4, 1, 1), (4,), "flatten"),
        ((4, 5, 5), (4, 25), "flatten"),
        ((4, 5, 5), (4, 5, 5), "identity"),
        ((4, 5, 5), (2, 2, 5, 5), "unknown"),
        ((100,), (4, 5, 5), "unknown"),
        ((4, 5, 5), (50,), "unknown"),
    ],
)
def test_reshapes_keep_positions_or_are_unknown(source, target, op):
    assert reshaped(source, target).op == op


def test_means_over_all_positions_are_pools():
    assert pooled("average_pool", (4, 5, 6), (4,)).geometry.kernel == (5, 6)
    assert pooled("max_pool", (4, 5, 6), (4, 1, 1)).op == "max_pool"
    assert pooled("average_pool", (4, 5, 6), (5, 6)).op == "unknown"
    assert pooled("average_pool", (4,), (4,)).op == "unknown"
