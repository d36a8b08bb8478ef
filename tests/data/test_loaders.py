"""Datasets, loaders and arrays in memory."""

import re

import numpy as np
import pytest
import torch
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from boundkit.data import open_data
from boundkit.errors import DataError

X = torch.arange(20.0).reshape(10, 2)
Y = torch.arange(10)


class Pairs(Dataset):
    """A map-style dataset that returns what it was given, item by item."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        item = self.items[index]
        if isinstance(item, Exception):
            raise item
        return item


class Stream(IterableDataset):
    """Ten samples, one after the other."""

    def __iter__(self):
        return iter([(X[i], i) for i in range(10)])


PAIRS = Pairs([(X[i], i) for i in range(10)])
DICTS = Pairs([{"x": X[i].numpy(), "y": i} for i in range(10)])


@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        [X.numpy(), Y.tolist()],
        {"x": X, "y": Y},
        TensorDataset(X, Y),
        PAIRS,
        DICTS,
        [(X[i], i) for i in range(10)],
        DataLoader(PAIRS, batch_size=3),
        DataLoader(PAIRS, batch_size=4, shuffle=True, drop_last=True),
        DataLoader(DICTS, batch_sampler=[[0, 1, 2], list(range(3, 10))]),
        Stream(),
        DataLoader(Stream(), batch_size=3),
        open_data((X, Y)),
    ],
)
def test_every_sample_comes_once_and_in_stored_order(data):
    samples = open_data(data)

    for _ in range(2):
        batches = list(samples.batches(4))
        assert torch.equal(torch.cat([x for x, _ in batches]), X)
        assert torch.equal(torch.cat([y for _, y in batches]), Y)
    assert samples.shape == (2,)


def test_a_loader_of_a_subset_gives_the_subset():
    samples = open_data(DataLoader(PAIRS, sampler=SubsetRandomSampler([1, 5, 7])))

    assert samples.n == 3
    assert sorted(int(y) for _, batch in samples.batches(9) for y in batch) == [1, 5, 7]


def test_streams_have_no_length_and_datasets_do():
    assert open_data(Stream()).n is None
    assert open_data(PAIRS).n == 10
    assert open_data(DataLoader(PAIRS, batch_size=3, drop_last=True)).n == 10


@pytest.mark.parametrize(
    "sampler",
    [
        RandomSampler(PAIRS, replacement=True),
        WeightedRandomSampler(torch.ones(10), 10),
    ],
)
def test_drawing_with_replacement_is_refused(sampler):
    with pytest.raises(DataError, match="the loader draws with replacement"):
        open_data(DataLoader(PAIRS, sampler=sampler))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "a int is no data set; give a Dataset"),
        (Pairs([]), "no samples in it"),
        (Pairs([(X[0], 0, 1)]), "a batch is a list of 3; give pairs (x, y)"),
        (Pairs([{"image": X[0]}]), "a batch is a dict with keys ['image']"),
        (Pairs([X[0]]), "a batch is a Tensor; give pairs"),
        (Pairs([("text", 1)]), "x comes as tuple, not as a tensor"),
        (Pairs([KeyError("k")]), "reading a batch raised KeyError: 'k'; the items"),
        (Pairs([(object(), 1)]), "reading a batch raised TypeError"),
        ((X, Y[:3]), "x has 10 samples but y has 3 labels"),
    ],
)
def test_what_is_no_data_set_is_refused(data, message):
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(data)


def test_an_error_in_the_middle_is_named_too():
    samples = open_data(Pairs([(X[0], 0), ValueError("broken\nfile")]))

    with pytest.raises(DataError, match="raised ValueError: broken; the items"):
        list(samples.batches(1))


def test_slices_of_arrays_are_taken_late():
    x = np.zeros((10, 2), np.float32)
    samples = open_data((x, Y))
    x[4] = 9

    assert [float(b.sum()) for b, _ in samples.batches(5)] == [18, 0]
