"""Path counts against paths that are walked one by one through graphs torch draws."""

import numpy as np
import pytest
import torch
from torch import nn

from boundkit.layers.geometry import of_module
from boundkit.numerics.path_counts import (
    average_edges,
    conv_edges,
    max_edges,
    output_size,
    pull_back,
    push_forward,
    tap_sources,
)
from boundkit.types import Geometry

CONVS = {1: nn.Conv1d, 2: nn.Conv2d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d}
MODES = ("zeros", "zeros", "reflect", "replicate", "circular")


def plain(kernel, stride, padding=0, dilation=1):
    return Geometry((kernel,), (stride,), ((padding, padding),), (dilation,))


def backwards(sizes, layers):
    """Path counts of the inputs of a stack of convolutions with a dense head."""
    edges = []
    for geometry in layers:
        edges.append(conv_edges(geometry, sizes))
        sizes = tuple(e.shape[0] for e in edges[-1])
    counts = np.ones(sizes)
    for step in reversed(edges):
        counts = pull_back(counts, step)
    return counts


def drawn(module, sizes):
    """(outputs, inputs) matrix of a one-channel linear module, by basis vectors."""
    basis = torch.eye(int(np.prod(sizes)), dtype=torch.float64).reshape(-1, 1, *sizes)
    with torch.no_grad():
        return module.double()(basis).flatten(1).T.numpy()


def walked(graphs):
    """Count paths from each input to the end by walking every one of them."""

    def onward(position, level):
        if level == len(graphs):
            return 1
        column = graphs[level][:, position]
        # A weight of 2 is two taps: two different edges.
        return sum(
            onward(o, level + 1)
            for o, taps in enumerate(column)
            for _ in range(round(taps))
        )

    return np.array([onward(p, 0) for p in range(graphs[0].shape[1])])


def random_conv(rng, dims, sizes):
    """A random one-channel convolution with all taps 1 that fits the sizes, or None."""
    kernel = [int(rng.integers(1, 4)) for _ in range(dims)]
    stride = [int(rng.integers(1, 4)) for _ in range(dims)]
    dilation = [int(rng.integers(1, 3)) for _ in range(dims)]
    if rng.random() < 0.3:
        extra = [
            int(rng.integers(0, max(s, d)))
            for s, d in zip(stride, dilation, strict=True)
        ]
        padding = [int(rng.integers(0, 2)) for _ in range(dims)]
        module = TRANSPOSED[dims](
            1, 1, kernel, stride, padding, extra, dilation=dilation, bias=False
        )
    else:
        mode = str(rng.choice(MODES))
        most = [s - 1 if mode == "reflect" else s for s in sizes]
        padding = [min(int(rng.integers(0, 3)), m) for m in most]
        module = CONVS[dims](
            1, 1, kernel, stride, padding, dilation, bias=False, padding_mode=mode
        )
    nn.init.ones_(module.weight)
    geometry = of_module(module)
    after = tuple(output_size(geometry, a, s) for a, s in enumerate(sizes))
    # Few enough paths to walk each.
    fits = min(after) > 0 and max(after) <= 9
    return (module, geometry, after) if fits else None


@pytest.mark.parametrize("seed", range(160))
def test_counts_are_those_of_walking_every_path(seed):
    rng = np.random.default_rng(seed)
    dims = 1 if seed % 4 else 2
    start = sizes = tuple(int(s) for s in rng.integers(3, 8 if dims == 1 else 5, dims))
    graphs, layers = [], []
    while len(layers) < (3 if dims == 1 else 2):
        found = random_conv(rng, dims, sizes)
        if found is None:
            continue
        graphs.append(drawn(found[0], sizes))
        layers.append(found[1])
        sizes = found[2]

    assert backwards(start, layers).ravel().tolist() == walked(graphs).tolist()


@pytest.mark.parametrize(
    ("size", "layers", "expected"),
    [
        (9, [plain(3, 2)], [1, 1, 2, 1, 2, 1, 2, 1, 1]),
        (10, [plain(3, 1), plain(3, 1)], [1, 3, 6, 8, 9, 9, 8, 6, 3, 1]),
        (8, [plain(2, 2)] * 3, [1] * 8),
        (5, [plain(3, 2)], [1, 1, 2, 1, 1]),
        (4, [plain(3, 1, 1)], [2, 3, 3, 2]),
        (4, [plain(3, 1, 1), plain(3, 2, 1)], [3, 4, 4, 2]),
        (3, [plain(3, 1, 1)] * 3, [12, 17, 12]),
    ],
)
def test_counts_by_hand(size, layers, expected):
    assert backwards((size,), layers).tolist() == expected


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_average_pooling_covers_its_true_weights(seed, counted):
    rng = np.random.default_rng(seed)
    sizes = tuple(int(s) for s in rng.integers(4, 8, 2))
    kernel = int(rng.integers(2, 4))
    stride, padding = int(rng.integers(1, 4)), int(rng.integers(0, kernel // 2 + 1))
    module = nn.AvgPool2d(kernel, stride, padding, count_include_pad=counted)
    shares = drawn(module, sizes)
    true = shares * shares.sum(axis=1, keepdims=True)
    edges = average_edges(of_module(module), sizes)
    found = np.kron(*(e.dense() for e in edges))

    assert np.all(found >= true - 1e-12)
    if not counted or padding == 0:
        np.testing.assert_allclose(found, true, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_max_pooling_counts_every_edge_once_for_each_rival(seed):
    rng = np.random.default_rng(seed)
    sizes = tuple(int(s) for s in rng.integers(4, 8, 2))
    kernel = int(rng.integers(2, 4))
    stride, padding = int(rng.integers(1, 4)), int(rng.integers(0, kernel // 2 + 1))
    # Positions in a window: what an average with divisor 1 sums.
    window = nn.AvgPool2d(kernel, stride, padding, divisor_override=1)
    inside = drawn(window, sizes)
    edges = max_edges(of_module(nn.MaxPool2d(kernel, stride, padding)), sizes)

    np.testing.assert_allclose(
        np.kron(*(e.dense() for e in edges)),
        inside * inside.sum(axis=1, keepdims=True),
        rtol=1e-12,
    )


def test_global_average_pooling_leaves_one_share_per_position():
    whole = Geometry((4, 5), (4, 5), ((0, 0), (0, 0)), (1, 1))
    counts = pull_back(np.ones((1, 1)), average_edges(whole, (4, 5)))

    np.testing.assert_allclose(counts, np.full((4, 5), 1 / 20), rtol=1e-12)


def test_two_by_two_averages_leave_a_quarter():
    window = Geometry((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    counts = pull_back(np.ones((2, 2)), average_edges(window, (4, 4)))

    assert np.all(counts == 1 / 4)


def test_a_tap_that_meets_a_zero_has_no_source():
    assert tap_sources(plain(3, 1, 1), 0, 2).tolist() == [[-1, 0], [0, 1], [1, -1]]


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_copied_positions_are_those_of_numpy(mode):
    names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    geometry = Geometry((1,), (1,), ((3, 2),), (1,), padding_mode=mode)
    expected = np.pad(np.arange(5), (3, 2), mode=names[mode])

    assert tap_sources(geometry, 0, 5)[0].tolist() == expected.tolist()


@pytest.mark.parametrize("size", [9, 600, 20_000])
def test_long_maps_are_counted_without_a_matrix(size):
    # 9 goes through a matrix; 20,000 positions would take one of 3.2 GB.
    edges = conv_edges(plain(3, 1, 1), (size,))
    counts = np.arange(size, dtype=float) % 7
    expected = np.convolve(counts, np.ones(3))[1:-1]

    np.testing.assert_array_equal(pull_back(counts, edges), expected)
    np.testing.assert_array_equal(push_forward(counts, edges), expected)
    stack = np.stack([counts, 2 * counts])
    np.testing.assert_array_equal(
        pull_back(stack, edges), np.stack([expected, 2 * expected])
    )
