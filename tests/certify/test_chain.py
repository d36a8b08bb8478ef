"""Networks as chains of linear maps: what is one, what is not, and its paths."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from boundkit.certify.chain import chain, path_counts
from boundkit.errors import NotApplicable
from tests.certify.examples import cnn, mlp, stored, wired


class Written(nn.Module):
    """A network whose forward pass is given as a function."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.run(self, x)


def conv(*arguments, **options):
    return nn.Conv1d(*arguments, bias=False, **options)


def linear(before, after):
    return nn.Linear(before, after, bias=False)


def counts_of(module, shape):
    return path_counts(chain(wired(module, shape)))


def test_a_dense_network_has_one_position_and_one_path():
    found = chain(wired(mlp(4, 5, 3, 1), (4,)))

    assert found.one_position
    assert found.coins == (0.5, 0.5)
    assert found.layers == ("0.weight", "2.weight", "4.weight")
    assert path_counts(found).inputs.tolist() == [1]


def test_pixels_of_a_flattened_image_have_one_path_each():
    module = nn.Sequential(nn.Flatten(), linear(12, 1))
    found = chain(wired(module, (3, 2, 2)))

    assert found.one_position
    assert path_counts(found).inputs.tolist() == [[1, 1], [1, 1]]


def test_paths_of_overlapping_windows():
    module = nn.Sequential(
        conv(1, 3, 3, padding=1),
        nn.ReLU(),
        conv(3, 3, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        linear(6, 1),
    )
    found = counts_of(module, (1, 4))

    assert found.inputs.tolist() == [3, 4, 4, 2]
    assert found.first_outputs.tolist() == [1, 2, 1, 1]
    assert found.biases == (5, 2, 1)


def test_pooling_before_the_head():
    pooled = counts_of(
        nn.Sequential(
            conv(1, 2, 1), nn.ReLU(), nn.AvgPool1d(2), nn.Flatten(), linear(6, 1)
        ),
        (1, 6),
    )
    largest = counts_of(
        nn.Sequential(
            conv(1, 2, 1), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), linear(6, 1)
        ),
        (1, 6),
    )

    assert pooled.inputs.tolist() == [0.5] * 6
    assert largest.inputs.tolist() == [2] * 6


@pytest.mark.parametrize(
    "end",
    [
        lambda s, x: s.head(s.body(x).mean(2)),
        lambda s, x: s.head(s.body(x).flatten(2).mean(-1)),
        lambda s, x: s.head(functional.adaptive_avg_pool1d(s.body(x), 1).flatten(1)),
    ],
)
def test_global_means_are_alike_however_written(end):
    module = Written(
        end, body=nn.Sequential(conv(1, 3, 2), nn.ReLU()), head=linear(3, 1)
    )

    np.testing.assert_allclose(
        counts_of(module, (1, 5)).inputs, np.array([1, 2, 2, 2, 1]) / 4, rtol=1e-12
    )


def test_a_convolution_over_everything_is_a_dense_head():
    body = nn.Sequential(conv(1, 2, 2, stride=2), nn.ReLU())
    flat = Written(
        lambda s, x: s.head(s.body(x).reshape(x.shape[0], -1, 1)).flatten(1),
        body=body,
        head=conv(4, 1, 1),
    )

    assert counts_of(flat, (1, 4)).inputs.tolist() == [1, 1, 1, 1]


def test_rows_and_columns_renumbered_keep_their_counts():
    module = Written(
        lambda s, x: s.head(
            functional.relu(s.line(functional.relu(s.plane(x)).flatten(2))).flatten(1)
        ),
        plane=nn.Conv2d(1, 2, (1, 3), padding=(0, 1), bias=False),
        line=conv(2, 1, 2),
        head=linear(5, 1),
    )
    # Line of 6 positions: ends have one path, the others two; rows are 0-2 and 3-5.
    line = np.array([[1, 2, 2], [2, 2, 1]])
    row = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]])

    assert counts_of(module, (1, 2, 3)).inputs.tolist() == (line @ row).tolist()


def test_one_output_may_come_without_an_axis():
    module = Written(lambda s, x: s.net(x).squeeze(-1), net=mlp(3, 2, 1).float())

    assert chain(wired(module, (3,))).layers == ("net.0.weight", "net.2.weight")


def test_slopes_beyond_one_multiply_the_next_layer():
    found = chain(wired(mlp(3, 2, 1, act=lambda: nn.LeakyReLU(2.0)), (3,)))

    assert found.coins == (0.25,)
    assert found.factors == (1.0, 2.0)


def test_max_pooling_and_its_activation_are_one_coin():
    for steps in ((nn.ReLU(), nn.MaxPool1d(2)), (nn.MaxPool1d(2), nn.ReLU())):
        assert chain(wired(cnn(1, *steps), (1, 6))).coins == (0.75,)
    assert chain(wired(cnn(1, nn.MaxPool1d(2)), (1, 6))).coins == (0.5,)


@pytest.mark.parametrize(
    ("steps", "coins", "factor"),
    [
        # Two pools share one activation: the second has a coin of its own.
        ((nn.ReLU(), nn.MaxPool1d(2), nn.MaxPool1d(2)), (0.75, 0.5), 1.0),
        ((nn.AvgPool1d(2), nn.ReLU(), nn.MaxPool1d(2)), (0.75,), 1.0),
        ((nn.ReLU(), nn.MaxPool1d(2), nn.AvgPool1d(2)), (0.75,), 1.0),
        ((nn.ReLU(), nn.AvgPool1d(2), nn.MaxPool1d(2)), (0.5, 0.5), 1.0),
        # Not monotone, or steeper than 1: no common coin.
        ((nn.LeakyReLU(-0.5), nn.MaxPool1d(2)), (0.75, 0.5), 1.0),
        ((nn.LeakyReLU(2.0), nn.MaxPool1d(2)), (0.25, 0.5), 2.0),
    ],
)
def test_pools_in_any_order_have_a_coin_each(steps, coins, factor):
    found = chain(wired(cnn(1, *steps), (1, 6)))

    assert found.coins == coins
    assert found.factors == (1.0, factor)


def test_a_weight_used_twice_is_two_layers():
    module = Written(
        lambda s, x: s.b(functional.relu(s.a(functional.relu(s.a(x))))),
        a=linear(3, 3),
        b=linear(3, 1),
    )
    found = chain(wired(module, (3,)))

    assert found.layers == ("a.weight", "a.weight", "b.weight")
    assert len(found.coins) == 2


def test_each_use_of_a_convolution_has_its_own_window():
    def forward(s, x):
        x = functional.conv1d(x, s.weight, padding=1)
        return s.head(
            functional.conv1d(
                functional.relu(x), s.weight, padding=2, dilation=2
            ).flatten(1)
        )

    module = Written(forward, head=linear(6, 1))
    module.weight = nn.Parameter(torch.ones(1, 1, 3))
    found = path_counts(chain(wired(module, (1, 6))))
    taps = np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)
    wide = np.eye(6) + np.eye(6, k=2) + np.eye(6, k=-2)

    assert found.inputs.tolist() == (np.ones(6) @ wide @ taps).tolist()


def test_stages_before_and_after_pools_know_their_contraction():
    found = chain(wired(cnn(1, nn.ReLU(), nn.AvgPool1d(2)), (1, 6)))
    pool = next(s for s in found.stages if s.layer is None)
    matrix = np.kron(np.eye(2), np.full((1, 2), 0.5))

    np.testing.assert_allclose(pool.factor, np.linalg.norm(matrix, 2), rtol=1e-12)


BROKEN = [
    (Written(lambda s, x: x + s.a(x), a=linear(3, 3)), (3,), "residual addition"),
    (
        nn.Sequential(linear(3, 4), nn.LayerNorm(4), nn.ReLU(), linear(4, 1)),
        (3,),
        "normalization layer LayerNorm",
    ),
    (nn.Sequential(linear(3, 4), nn.GELU(), linear(4, 1)), (3,), "GELU is not covered"),
    (
        nn.Sequential(linear(3, 4), nn.PReLU(), linear(4, 1)),
        (3,),
        "PReLU is not covered",
    ),
    (nn.Sequential(linear(3, 4), nn.ReLU()), (3,), "followed by an activation"),
    (nn.Sequential(nn.ReLU(), linear(3, 1)), (3,), "stands before any layer"),
    (
        Written(lambda s, x: x.flatten(1), a=linear(3, 2)),
        (3, 2),
        "the network has no layer",
    ),
    (nn.Sequential(conv(1, 1, 1), nn.Flatten()), (1, 3), "several positions"),
    (
        nn.Sequential(conv(1, 1, 1), nn.Tanh(), nn.MaxPool1d(3), nn.Flatten()),
        (1, 3),
        "Tanh is not covered",
    ),
    (nn.Sequential(linear(4, 4), nn.MaxPool1d(2), linear(2, 1)), (4,), "over features"),
    (nn.Sequential(linear(4, 4), nn.AvgPool1d(2), linear(2, 1)), (4,), "over features"),
    (
        Written(lambda s, x: torch.cat([s.a(x), s.a(x)], 1), a=linear(3, 2)),
        (3,),
        "branches at a",
    ),
    (
        Written(lambda s, x: s.a(x) * s.b(x), a=linear(3, 2), b=linear(3, 2)),
        (3,),
        "branches at b",
    ),
]


@pytest.mark.parametrize(("module", "shape", "why"), BROKEN)
def test_what_is_no_chain_is_told(module, shape, why):
    with pytest.raises(NotApplicable, match=why):
        chain(wired(module, shape))


def test_a_bias_that_is_not_stored_beside_its_weight_is_not_overlooked():
    network = wired(mlp(3, 1, bias=True), (3,))
    (layer,) = network.layers
    alone = dataclasses.replace(
        network, layers=(dataclasses.replace(layer, bias=None),)
    )

    with pytest.raises(NotApplicable, match="adds a bias that is not stored"):
        chain(alone)


def test_a_dense_layer_along_an_axis_is_told():
    module = nn.Sequential(linear(3, 1))

    with pytest.raises(NotApplicable, match="along the last axis"):
        chain(wired(module, (2, 3)))
    with pytest.raises(NotApplicable, match="along 1 axes"):
        chain(wired(module, (1, 3)))


def test_tensors_alone_are_no_chain():
    with pytest.raises(NotApplicable, match="architecture is not known"):
        chain(stored(mlp(3, 1)))
