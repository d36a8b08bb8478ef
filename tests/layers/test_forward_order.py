"""Layers are chained in an order that their shapes allow, or said not to chain."""

from itertools import pairwise

import numpy as np
import pytest

from boundkit.layers.forward_order import follows, forward_order
from boundkit.types import Layer, StoredTensor

KINDS = {2: "linear", 3: "conv1d", 4: "conv2d", 5: "conv3d"}


def layer(name, *shape, kind=None):
    tensor = StoredTensor(shape, "float32", None)
    return Layer(name, kind or KINDS[len(shape)], tensor)


def names(layers):
    return [x.name for x in layers]


def test_a_possible_stored_order_is_kept():
    stored = [layer("b", 8, 1, 3, 3), layer("c", 16, 8, 3, 3), layer("a", 2, 16 * 9)]

    order, possible = forward_order(stored)

    assert possible
    assert names(order) == ["b", "c", "a"]


def test_alphabetical_storage_is_put_right():
    stored = [layer("conv", 8, 1, 4, 4), layer("head", 1, 8), layer("hidden", 8, 392)]

    order, possible = forward_order(stored)

    assert possible
    assert names(order) == ["conv", "hidden", "head"]


def test_numbers_in_names_count_as_numbers():
    stored = [
        layer("net.0", 7, 3),
        layer("net.10", 2, 5),
        layer("net.2", 5, 7),
    ]

    order, possible = forward_order(stored)

    assert possible
    assert names(order) == ["net.0", "net.2", "net.10"]


def test_layers_that_fit_in_no_order_are_said_so():
    stored = [layer("a", 8, 3), layer("b", 5, 7)]

    order, possible = forward_order(stored)

    assert not possible
    assert names(order) == ["a", "b"]


def test_random_chains_are_recovered_from_any_shuffle():
    generator = np.random.default_rng(0)
    for _ in range(20):
        widths = generator.permutation(np.arange(3, 14))
        chain = [
            layer(f"x{i}", int(b), int(a)) for i, (a, b) in enumerate(pairwise(widths))
        ]
        shuffled = [chain[i] for i in generator.permutation(len(chain))]
        order, possible = forward_order(shuffled)

        assert possible
        assert names(order) == names(chain)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (layer("a", 8, 3), layer("b", 2, 8), True),
        (layer("a", 8, 3), layer("b", 2, 16), False),
        (layer("a", 8, 3, 3, 3), layer("b", 2, 8 * 49), True),
        (layer("a", 8, 3, 3, 3), layer("b", 2, 9), True),
        (layer("a", 8, 4, 3, 3), layer("b", 2, 9), False),
        (layer("a", 8, 3, 3, 3), layer("depthwise", 8, 1, 3, 3), True),
        (layer("a", 8, 3, 3, 3), layer("b", 16, 3, 3, 3), True),
        (layer("a", 8, 5, 3, 3), layer("b", 16, 3, 3, 3), False),
        (layer("a", 64, 10), layer("b", 16, 32, 4, 4), True),
        (layer("a", 8, 16, 4, 4, kind="conv_transpose2d"), layer("b", 2, 16), True),
    ],
)
def test_what_one_layer_gives_the_next_must_take(before, after, expected):
    assert follows(before, after) is expected
