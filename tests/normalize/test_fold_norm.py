from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.layers.replay import replay
from boundkit.normalize import fold_norm, normalized
from boundkit.numerics.blocks import array
from boundkit.types import StoredTensor
from tests.normalize.nets import random_net, trained, wired


class Net(nn.Module):
    """A module with a forward of its own."""

    def __init__(self, forward, **parts):
        super().__init__()
        self._run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self._run(self, x)


def _conv(**options):
    return nn.Conv1d(2, 2, 3, **options)


def _details(module, shape=(2, 9)):
    after = normalized(wired(trained(module), shape))

    assert "fold_norm" not in after.rewrites
    return [node.detail for node in after.nodes if node.op == "norm"]


def test_weight_and_bias_by_hand():
    linear, norm = nn.Linear(1, 1).double(), nn.BatchNorm1d(1, eps=0.0).double()
    with torch.no_grad():
        linear.weight.fill_(3.0)
        linear.bias.fill_(5.0)
        norm.running_mean.fill_(1.0)
        norm.running_var.fill_(4.0)
        norm.weight.fill_(6.0)
        norm.bias.fill_(7.0)
    after = fold_norm(wired(nn.Sequential(linear, norm).eval(), (1,)))

    # 6 / sqrt(4) = 3; 3 * 3 = 9 and 7 + 3 * (5 - 1) = 19.
    assert array(after.layers[0].weight).tolist() == [[9.0]]
    assert array(after.layers[0].bias).tolist() == [19.0]


def test_a_bias_is_created_where_there_is_none():
    module = trained(nn.Sequential(_conv(bias=False), nn.BatchNorm1d(2)))
    before = wired(module, (2, 9))

    after = fold_norm(before)

    assert before.layers[0].bias is None
    assert after.layers[0].bias.shape == (2,)
    assert [n.detail for n in after.nodes if n.op == "layer"] == ["bias"]


def test_the_stored_weight_stays_as_it_was():
    module, shape = random_net(3)
    before = wired(module, shape)

    fold_norm(normalized(before))

    stored = array(before.layers[0].weight)
    np.testing.assert_array_equal(stored, module[0].weight.detach().numpy())


def test_functional_batch_norm_is_folded():
    def forward(m, x):
        n = m.norm
        return nn.functional.batch_norm(
            m.conv(x), n.running_mean, n.running_var, n.weight, n.bias, eps=0.5
        ).flatten(1)

    module = trained(Net(forward, conv=_conv(), norm=nn.BatchNorm1d(2))).double()
    x = torch.randn(4, 2, 9, dtype=torch.float64)

    after = fold_norm(wired(module, (2, 9)))

    assert after.rewrites == ("fold_norm",)
    torch.testing.assert_close(replay(after, x), module(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (
            nn.Sequential(_conv(), nn.BatchNorm1d(2, track_running_stats=False)),
            "it keeps no running statistics",
        ),
        (nn.Sequential(_conv(), nn.GroupNorm(1, 2)), "it depends on the input"),
        (nn.Sequential(nn.BatchNorm1d(2), _conv()), "does not directly follow a layer"),
        (
            nn.Sequential(_conv(), nn.ReLU(), nn.BatchNorm1d(2)),
            "does not directly follow a layer",
        ),
        (
            Net(
                lambda m, x: m.norm(y := m.conv(x)) + y,
                conv=_conv(),
                norm=nn.BatchNorm1d(2),
            ),
            "conv.weight or its output is used elsewhere too",
        ),
        (
            Net(
                lambda m, x: m.norm(m.conv(m.conv(x))),
                conv=_conv(),
                norm=nn.BatchNorm1d(2),
            ),
            "conv.weight or its output is used elsewhere too",
        ),
    ],
)
def test_what_cannot_be_folded_exactly_stays_and_says_why(module, reason):
    (detail,) = _details(module)

    assert reason in detail


def test_statistics_that_are_not_finite_are_not_folded():
    module = trained(nn.Sequential(_conv(), nn.BatchNorm1d(2)))
    module[1].running_var[0] = torch.nan
    after = fold_norm(wired(module, (2, 9)))

    assert "not finite" in after.nodes[2].detail


def test_a_negative_variance_is_not_folded():
    module = trained(nn.Sequential(_conv(), nn.BatchNorm1d(2)))
    before = wired(module, (2, 9))
    module[1].running_var[0] = -1.0

    assert "not finite" in fold_norm(before).nodes[2].detail


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (None, "not in the checkpoint"),
        (StoredTensor((2,), "float32", None, unread="meta"), "numbers are missing"),
        ("short", "does not fit the 2 channels of 0.weight"),
    ],
)
def test_statistics_that_are_not_there_are_not_folded(tensor, reason):
    module = trained(nn.Sequential(_conv(), nn.BatchNorm1d(2)))
    before = wired(module, (2, 9))
    vectors = dict(before.vectors)
    if tensor == "short":
        mean = vectors["1.running_mean"]
        tensor = StoredTensor((1,), mean.dtype, mean.storage)
    vectors["1.running_mean"] = tensor
    if tensor is None:
        del vectors["1.running_mean"]
    network = type(before)(before.layers, before.nodes, vectors=vectors)

    assert reason in fold_norm(network).nodes[2].detail


def _biased_elsewhere():
    def forward(m, x):
        return m.norm(nn.functional.conv1d(x, m.kernel, m.offset))

    kernel, offset = nn.Parameter(torch.randn(2, 2, 3)), nn.Parameter(torch.randn(2))
    return Net(forward, norm=nn.BatchNorm1d(2), kernel=kernel, offset=offset)


def test_a_bias_that_is_not_stored_beside_its_weight_is_folded():
    module = trained(_biased_elsewhere()).double()
    after = fold_norm(wired(module, (2, 9)))
    x = torch.randn(3, 2, 9, dtype=torch.float64)

    assert after.rewrites == ("fold_norm",)
    torch.testing.assert_close(replay(after, x), module(x), rtol=1e-12, atol=1e-12)


def test_a_bias_that_is_not_stored_at_all_is_not_folded():
    before = wired(trained(_biased_elsewhere()), (2, 9))
    without = replace(before, layers=(replace(before.layers[0], bias=None),))
    (detail,) = (n.detail for n in fold_norm(without).nodes if n.op == "norm")

    assert "the bias of kernel is not stored beside it" in detail


def test_two_norms_in_a_row_are_folded_once_and_said():
    module = trained(nn.Sequential(_conv(), nn.BatchNorm1d(2), nn.BatchNorm1d(2)))
    after = fold_norm(wired(module, (2, 9)))

    assert [n.op for n in after.nodes] == ["input", "layer", "norm", "output"]
    assert "does not directly follow a layer" in after.nodes[2].detail
