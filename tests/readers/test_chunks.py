"""A tensor in boxes reads like the whole."""

from itertools import pairwise

import numpy as np
import pytest

from boundkit.errors import Unreadable
from boundkit.numerics.blocks import array
from boundkit.readers.chunks import Chunk, ChunkedStorage, gap
from boundkit.readers.storage import ArrayStorage
from boundkit.types import StoredTensor


def boxes(shape, *cuts):
    """Return the boxes that cutting each dimension at the given places makes."""
    edges = [(0, *places, size) for places, size in zip(cuts, shape, strict=True)]
    spans = [[(a, b - a) for a, b in pairwise(e)] for e in edges]
    grid = np.stack(np.meshgrid(*[range(len(s)) for s in spans], indexing="ij"), -1)
    cells = grid.reshape(-1, len(shape))
    return [
        tuple(zip(*(spans[d][i] for d, i in enumerate(cell)), strict=True))
        for cell in cells
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "bool"])
@pytest.mark.parametrize(
    ("shape", "cuts"),
    [
        ((7,), [(3, 5)]),
        ((6, 4), [(1, 4), ()]),
        ((6, 4), [(), (1,)]),
        ((5, 4, 3), [(2,), (1, 3), (2,)]),
        ((1, 1, 9), [(), (), (4,)]),
        ((1, 5), [(), (2,)]),
    ],
)
def test_gathered_bytes_are_the_wholes(shape, cuts, dtype):
    random = np.random.default_rng(0)
    whole = random.integers(-9, 9, shape).astype(dtype)
    cells = boxes(shape, *cuts)
    chunks = []
    for offsets, sizes in cells:
        part = whole[
            tuple(slice(o, o + n) for o, n in zip(offsets, sizes, strict=True))
        ]
        stored = ArrayStorage(np.ascontiguousarray(part))
        chunks.append(Chunk(offsets, StoredTensor(sizes, dtype, stored)))
    random.shuffle(chunks)
    storage = ChunkedStorage("x", shape, chunks)

    assert gap(shape, cells) == ""
    assert storage.nbytes == whole.nbytes
    raw = whole.tobytes()
    for start in range(0, len(raw), 5):
        for stop in (start, start + 1, min(start + 17, len(raw)), len(raw)):
            assert bytes(storage.read(start, stop)) == raw[start:stop]
    np.testing.assert_array_equal(array(StoredTensor(shape, dtype, storage)), whole)


def test_chunks_may_be_views():
    whole = np.arange(24, dtype=np.float32).reshape(4, 6)
    left = StoredTensor((4, 3), "float32", ArrayStorage(whole), 0, (6, 1))
    right = StoredTensor((4, 3), "float32", ArrayStorage(whole), 3, (6, 1))
    storage = ChunkedStorage("x", (4, 6), [Chunk((0, 0), left), Chunk((0, 3), right)])

    assert bytes(storage.read(0, 96)) == whole.tobytes()


def test_bytes_that_are_not_there_are_unreadable():
    part = StoredTensor((2,), "float32", ArrayStorage(np.ones(2, np.float32)))
    storage = ChunkedStorage("x", (2,), [Chunk((0,), part)])

    with pytest.raises(Unreadable, match="bytes 4 to 9 of 8 were asked for"):
        storage.read(4, 9)


def test_a_chunk_without_numbers_is_unreadable():
    there = StoredTensor((1,), "float32", ArrayStorage(np.ones(1, np.float32)))
    gone = StoredTensor((1,), "float32", None, unread="meta")
    storage = ChunkedStorage("x", (2,), [Chunk((0,), there), Chunk((1,), gone)])

    with pytest.raises(Unreadable, match="meta"):
        storage.read(0, 8)


@pytest.mark.parametrize(
    ("shape", "cells", "wrong"),
    [
        ((4,), [((0,), (2,)), ((2,), (2,))], ""),
        ((4,), [((0,), (2,)), ((1,), (2,))], "chunks overlap"),
        ((2, 2), [((0, 0), (2, 1)), ((0, 0), (1, 2))], "chunks overlap"),
        ((4,), [((0,), (2,))], "the chunks do not add up to the tensor"),
        ((4,), [((2,), (4,))], "a chunk reaches outside of the tensor"),
        ((4,), [((0, 0), (4, 1))], "a chunk has another number of dimensions"),
        ((), [((), ())], ""),
        ((0, 3), [((0, 0), (0, 3)), ((0, 0), (0, 3))], ""),
    ],
)
def test_tilings_are_checked(shape, cells, wrong):
    assert gap(shape, cells) == wrong
