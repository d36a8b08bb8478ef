"""What single nodes do to positions."""

import pytest
from torch import nn

from boundkit.certify.stages import joins, output_rows, pool_partners, spatial
from boundkit.types import Geometry, Layer, StoredTensor
from tests.certify.examples import cnn, wired


def partners(*between):
    return pool_partners(wired(cnn(1, *between), (1, 6)).nodes)


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ((nn.ReLU(), nn.MaxPool1d(2)), {"1": 0.0, "2": 0.0}),
        ((nn.MaxPool1d(2), nn.LeakyReLU(0.5)), {"1": 0.5, "2": 0.5}),
        ((nn.MaxPool1d(2),), {}),
        ((nn.ReLU(), nn.AvgPool1d(2)), {}),
        ((nn.LeakyReLU(-0.5), nn.MaxPool1d(2)), {}),
        # One activation is shared with one pool only.
        ((nn.MaxPool1d(2), nn.ReLU(), nn.MaxPool1d(2)), {"1": 0.0, "2": 0.0}),
    ],
)
def test_a_pool_shares_its_coin_with_one_activation(between, expected):
    assert partners(*between) == expected


def test_rows_are_output_channels():
    weight = StoredTensor((4, 3, 2), "float32", None)
    geometry = Geometry((2,), (1,), ((0, 0),), (1,), groups=2, transposed=True)

    assert output_rows(Layer("a", "conv1d", weight)) == 4
    assert output_rows(Layer("a", "conv_transpose1d", weight, None, geometry)) == 6


def test_vectors_have_one_position():
    assert (spatial((3, 4, 5)), spatial((3,))) == ((4, 5), ())
    assert joins((2, 3), (6,))
    assert not joins((2, 1), (2,))
    assert not joins((2, 3, 4), (2, 12))
