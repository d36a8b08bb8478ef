"""Nets small enough that every vector of signs can be tried, and inputs for them."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn


def relu_net(*widths, bias=False, slope=0.0):
    pairs = itertools.pairwise(widths)
    steps = [(nn.Linear(a, b, bias=bias), nn.LeakyReLU(slope)) for a, b in pairs]
    return nn.Sequential(*itertools.chain(*steps))[:-1]


def conv_net(shape, *steps, outputs=1, bias=False):
    body = nn.Sequential(*steps, nn.Flatten())
    size = body(torch.zeros(1, *shape)).shape[1]
    return nn.Sequential(*body, nn.Linear(size, outputs, bias=bias))


def conv(a, b, k, bias=False, **options):
    return nn.Conv1d(a, b, k, bias=bias, **options)


#: Name -> (net, shape of a sample, samples).
CASES = {
    "dense, 2 layers": (lambda: relu_net(2, 4, 1), (2,), 4),
    "dense, 3 layers": (lambda: relu_net(2, 3, 3, 1), (2,), 4),
    "dense, 4 layers": (lambda: relu_net(2, 3, 3, 3, 1), (2,), 4),
    "dense, slope -0.3": (lambda: relu_net(2, 4, 1, slope=-0.3), (2,), 4),
    "dense, slope 2": (lambda: relu_net(2, 4, 1, slope=2.0), (2,), 4),
    "dense, biases": (lambda: relu_net(2, 4, 1, bias=True), (2,), 4),
    "dense, 3 layers, biases": (lambda: relu_net(2, 3, 3, 1, bias=True), (2,), 4),
    "dense, 3 classes": (lambda: relu_net(2, 4, 3), (2,), 4),
    "linear, 4 classes": (lambda: relu_net(3, 4), (3,), 4),
    "tree, 3 layers": (
        lambda: conv_net(
            (1, 4),
            conv(1, 2, 2, stride=2),
            nn.ReLU(),
            conv(2, 2, 2, stride=2),
            nn.ReLU(),
        ),
        (1, 4),
        3,
    ),
    "overlap, k3 s2": (
        lambda: conv_net((1, 5), conv(1, 3, 3, stride=2), nn.ReLU()),
        (1, 5),
        4,
    ),
    "overlap, k3 p1": (
        lambda: conv_net((1, 4), conv(1, 2, 3, padding=1), nn.ReLU()),
        (1, 4),
        4,
    ),
    "overlap, 3 layers": (
        lambda: conv_net(
            (1, 4),
            conv(1, 2, 3, padding=1),
            nn.ReLU(),
            conv(2, 2, 3, stride=2, padding=1),
            nn.ReLU(),
        ),
        (1, 4),
        3,
    ),
    "circular padding": (
        lambda: conv_net(
            (1, 3), conv(1, 2, 3, padding=1, padding_mode="circular"), nn.ReLU()
        ),
        (1, 3),
        4,
    ),
    "average pooling": (
        lambda: conv_net((1, 4), conv(1, 3, 1), nn.ReLU(), nn.AvgPool1d(2)),
        (1, 4),
        4,
    ),
    "max pooling": (
        lambda: conv_net((1, 4), conv(1, 3, 1), nn.ReLU(), nn.MaxPool1d(2)),
        (1, 4),
        4,
    ),
    "padded, biases": (
        lambda: conv_net(
            (1, 3), conv(1, 2, 3, bias=True, padding=1), nn.ReLU(), bias=True
        ),
        (1, 3),
        4,
    ),
    "depthwise": (
        lambda: conv_net(
            (2, 3),
            conv(2, 4, 2, groups=2),
            nn.ReLU(),
            conv(4, 4, 2, groups=4),
            nn.ReLU(),
        ),
        (2, 3),
        3,
    ),
    "transposed": (
        lambda: conv_net(
            (1, 3), nn.ConvTranspose1d(1, 2, 3, stride=2, bias=False), nn.ReLU()
        ),
        (1, 3),
        4,
    ),
    "average, then max pooling": (
        lambda: conv_net(
            (1, 4), conv(1, 3, 1), nn.ReLU(), nn.AvgPool1d(2, 1), nn.MaxPool1d(3)
        ),
        (1, 4),
        4,
    ),
}
#: Those that take a few seconds.
QUICK = tuple(name for name in CASES if "4 layers" not in name)


def samples(shape, n, seed):
    """Inputs of one of several kinds, on which different steps of the proof are tight."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, *shape))
    if seed % 5 == 1:
        x[1:] = x[:1] * rng.choice([-1, 1], (n - 1, *[1] * len(shape)))
    if seed % 5 == 2:
        x *= rng.random(x.shape) < 0.4
    if seed % 5 == 3:
        x = np.sign(x)
    if seed % 5 == 4:
        x[n // 2 :] = -x[: n - n // 2]
    return torch.from_numpy(x)
