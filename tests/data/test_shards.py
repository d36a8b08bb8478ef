"""Parts of samples hold their rows, and know where they are in the whole."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from boundkit.data import open_data
from boundkit.data.shards import strided, window
from boundkit.errors import DataError

X = torch.arange(22.0).reshape(11, 2)
Y = torch.arange(11) % 3


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(X, Y, strict=True))


class Touchy:
    """A dataset that says which items were read."""

    def __init__(self):
        self.touched = []

    def __len__(self):
        return 11

    def __getitem__(self, row):
        self.touched.append(row)
        return X[row], int(Y[row])


def _rows(samples, size=3):
    batches = list(samples.batches(size))
    if not batches:
        return [], []
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return x[:, 0].tolist(), y.tolist()


@pytest.fixture(params=["arrays", "loader", "npz", "own batches"])
def samples(request, tmp_path):
    if request.param == "arrays":
        return open_data((X, Y))
    if request.param == "loader":
        return open_data(DataLoader(TensorDataset(X, Y), shuffle=True))
    if request.param == "npz":
        np.savez_compressed(tmp_path / "d.npz", x=X, y=Y)
        return open_data(tmp_path / "d.npz")
    sampler = torch.utils.data.SubsetRandomSampler(range(11))
    torch.manual_seed(0)
    return open_data(DataLoader(TensorDataset(X, Y), batch_size=4, sampler=sampler))


@pytest.mark.parametrize(("start", "stop"), [(0, 11), (0, 4), (4, 9), (10, 11), (5, 5)])
def test_a_window_holds_its_rows(samples, start, stop):
    part = window(samples, start, stop)

    x, y = _rows(part)
    assert part.n == len(x) == stop - start
    # A sampler of the user's own has an order of its own.
    if samples.window is not None or samples.name.endswith("npz"):
        assert x == X[start:stop, 0].tolist()
        assert y == Y[start:stop].tolist()


def test_a_window_of_a_dataset_reads_nothing_else():
    data = Touchy()
    part = window(open_data(data), 3, 6)
    data.touched.clear()

    _rows(part)

    assert data.touched == [3, 4, 5]


def test_messages_name_rows_of_the_whole():
    broken = X.clone()
    broken[7, 1] = torch.nan
    part = window(open_data((broken, Y)), 5, 11)

    with pytest.raises(DataError, match=r"x\[7\] holds NaN"):
        list(part.batches(2))


def test_a_window_that_ends_early_is_an_error():
    data = open_data((X, Y))
    lying = window(window(data, 0, 11), 9, 14)

    with pytest.raises(DataError, match="ends after 2 samples, 5 were promised"):
        list(lying.batches(4))


def test_parts_of_a_stream_hold_every_batch_once():
    data = open_data(Stream())

    parts = [strided(data, number, 3) for number in range(3)]

    rows = [_rows(part, 2)[0] for part in parts]
    assert rows[0] == [0, 2, 12, 14]
    assert sorted(row for part in rows for row in part) == X[:, 0].tolist()


def test_a_part_of_a_stream_may_be_empty():
    assert _rows(strided(open_data(Stream()), 2, 3), 20) == ([], [])
