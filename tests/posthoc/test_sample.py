"""Samples that are read once, hashed, and kept as far as they fit."""

import hashlib

import pytest
import torch

from boundkit.data import open_data
from boundkit.errors import DataError
from boundkit.posthoc.sample import gathered
from tests.posthoc.nets import sample


@pytest.mark.parametrize("size", [1, 7, 600])
def test_the_hash_does_not_depend_on_the_batches(size):
    x, y = sample()
    shape = repr((600, 6)).encode()
    parts = (hashlib.sha256(part.numpy().tobytes()).digest() for part in (x, y))
    expected = hashlib.sha256(shape + b"".join(parts)).hexdigest()

    assert gathered(open_data((x, y)), size).sha256 == expected


@pytest.mark.parametrize("change", [(0, 0), (599, 5)])
def test_the_hash_sees_every_number(change):
    x, y = sample()
    before = gathered(open_data((x, y)), 100).sha256
    x = x.clone()
    x[change] += 1e-6

    assert gathered(open_data((x, y)), 100).sha256 != before


def test_what_does_not_fit_is_thinned_out():
    x, y = sample()
    found = gathered(open_data((x, y)), 90, kept=6 * 4 * 150)

    assert found.n == 600
    assert torch.equal(found.x, x[::4])
    assert torch.equal(found.labels, y[::4])
    assert sum(len(labels) for _, labels in found.batches(90)) == 600


def test_chance_is_the_most_frequent_label():
    y = torch.tensor([1, 1, 1, 2, 0])

    assert gathered(open_data((torch.zeros(5, 2), y)), 2).chance_error == 0.4


class Nothing:
    """A sample of which nothing is left."""

    name, n, shape = "empty.npz", None, (2,)

    def batches(self, size):
        yield from ()


def test_a_sample_of_nothing():
    with pytest.raises(DataError, match=r"empty\.npz: no samples in it; give at least"):
        gathered(Nothing(), 10)
