"""Samples can be read again and again, and notice what is missing."""

import numpy as np
import pytest
import torch

from boundkit.data.arrays import from_arrays
from boundkit.data.samples import Samples, from_rows
from boundkit.errors import DataError


def test_batches_are_the_same_each_time_and_for_each_size():
    x = np.arange(14, dtype=np.float32).reshape(7, 2)
    samples = from_arrays(x, np.arange(7), "d")

    for size in (1, 3, 7, 100, 3):
        batches = list(samples.batches(size))
        assert max(len(b) for b, _ in batches) == min(size, 7)
        np.testing.assert_array_equal(torch.cat([b for b, _ in batches]).numpy(), x)
        assert torch.cat([y for _, y in batches]).tolist() == list(range(7))
    assert (samples.n, samples.shape, samples.name) == (7, (2,), "d")


def test_a_data_set_that_ends_early_says_so():
    x = np.zeros((2, 3), np.float32)
    short = Samples("d", 5, (3,), lambda _: [(x, [0, 1])])

    with pytest.raises(DataError, match="d: ends after 2 samples, 5 were promised"):
        list(short.batches(2))


def test_an_empty_stream_says_so():
    with pytest.raises(DataError, match="d: ends after 0 samples, at least one was"):
        list(Samples("d", None, (3,), lambda _: []).batches(2))


def test_one_number_per_sample_is_refused():
    with pytest.raises(DataError, match=r"d: x has shape \(4,\); give \(n, ...\)"):
        from_rows("d", (4,), lambda _: [], [0, 1, 0, 1])


def test_lengths_are_compared_before_anything_is_read():
    with pytest.raises(DataError, match="x has 4 samples but y has 3 labels"):
        from_arrays(np.zeros((4, 2)), [0, 1, 0], "d")
