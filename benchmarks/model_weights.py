"""Weights of whole models: shapes of well-known ones, filled as training would."""

from __future__ import annotations

import math

import numpy as np


def resnet(blocks: tuple[int, ...], wide: int) -> list[tuple[int, ...]]:
    """Return the shapes of the weights of a ResNet; ``wide`` is 4 with bottlenecks."""
    shapes: list[tuple[int, ...]] = [(64, 3, 7, 7)]
    inner = 64
    for stage, count in enumerate(blocks):
        c = 64 * 2**stage
        for block in range(count):
            if wide == 1:
                shapes += [(c, inner, 3, 3), (c, c, 3, 3)]
            else:
                shapes += [(c, inner, 1, 1), (c, c, 3, 3), (c * wide, c, 1, 1)]
            if block == 0 and inner != c * wide:
                shapes.append((c * wide, inner, 1, 1))
            inner = c * wide
    return [*shapes, (1000, inner)]


def transformer(width: int, blocks: int) -> list[tuple[int, ...]]:
    """Return the shapes of so many blocks of a GPT."""
    each = [(3 * width, width), (width, width), (4 * width, width), (width, 4 * width)]
    return each * blocks


MODELS = {
    "resnet18": ("21 layers, whole", resnet((2, 2, 2, 2), 1)),
    "resnet50": ("54 layers, whole", resnet((3, 4, 6, 3), 4)),
    "gpt2-small": ("2 of its 12 blocks; the rest is alike", transformer(768, 2)),
}

#: Shapes of a Llama of 1.1 billion parameters (22 blocks of width 2048, 32 heads that
#: share 4 keys and values, vocabulary 32,000), and how often each occurs.
BILLION = {
    (2048, 2048): 44,
    (256, 2048): 44,
    (5632, 2048): 44,
    (2048, 5632): 22,
    (32000, 2048): 2,
}


def trained_like(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return float32 weights with uneven rows and columns and four spikes."""
    rng = np.random.default_rng(seed)
    rows, rest = shape[0], math.prod(shape[1:])
    w = rng.standard_normal((rows, rest)) * rng.lognormal(0, 0.3, (rows, 1))
    w *= rng.lognormal(0, 0.3, rest) / math.sqrt(rest)
    for i in range(4):
        left, right = rng.standard_normal(rows), rng.standard_normal(rest)
        size = (1 + math.sqrt(rows / rest)) * (2.2 - 0.3 * i)
        w += np.outer(left, right) * (size / math.sqrt(rows * rest))
    return w.reshape(shape).astype(np.float32)


def layer_of(name: str, values: np.ndarray):
    from boundkit.readers.storage import ArrayStorage
    from boundkit.types import Layer, StoredTensor

    kind = "linear" if values.ndim == 2 else "conv2d"
    tensor = StoredTensor(values.shape, "float32", ArrayStorage(values))
    return Layer(name, kind, tensor)


def trained(path: str) -> list[np.ndarray]:
    """Return the dense and two-dimensional convolutional weights of a checkpoint."""
    from boundkit import readers
    from boundkit.layers import from_tensors
    from boundkit.numerics.matrix_pieces import stored_array

    layers = from_tensors(readers.read(path))[0].layers
    return [
        np.array(stored_array(x.weight), np.float32)
        for x in layers
        if x.kind in {"linear", "conv2d"}
        and min(x.weight.shape[:2]) * math.prod(x.weight.shape[2:]) >= 8
        and sum(x.weight.shape[:2]) >= sum(x.weight.shape[2:])
    ]
