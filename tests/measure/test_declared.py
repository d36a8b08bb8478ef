"""Energies under declared preprocessing."""

from functools import reduce
from operator import add

import numpy as np
import pytest
import torch

from boundkit.data import open_data
from boundkit.errors import UsageError
from boundkit.measure.declared import DeclaredSums, declared_center

X = np.random.default_rng(0).random((30, 2, 3, 4)).astype(np.float32)
CENTER = np.full((2, 3, 4), 0.05, np.float32)


def samples(path, **entries):
    np.savez(path / "train.npz", x=X, y=np.arange(30) % 2, **entries)
    return open_data(path / "train.npz", "train")


def test_what_is_kept_is_what_it_says(tmp_path):
    seen = samples(tmp_path, normalize="unit", center=CENTER)
    center = declared_center(seen)
    parts = [DeclaredSums.of(x, center) for x, _ in seen.batches(7)]
    found = reduce(add, parts).finished(center)
    unit = (
        X.astype(np.float64)
        / np.linalg.norm(X.reshape(30, -1), axis=1)[:, None, None, None]
    )
    energy = ((unit - CENTER) ** 2).sum(1).reshape(30, 12)

    # Inputs are float32.
    np.testing.assert_allclose(found.products, energy.T @ energy / 30, rtol=1e-5)
    np.testing.assert_allclose(found.center, np.full((3, 4), 2 * 0.05**2), rtol=1e-6)
    np.testing.assert_allclose(found.largest, 1, rtol=1e-6)
    np.testing.assert_allclose(found.lowest, unit.min(), rtol=1e-3)


@pytest.mark.parametrize("size", [1, 4, 30])
def test_batches_do_not_matter(tmp_path, size):
    seen = samples(tmp_path, normalize="unit", center=CENTER)
    center = declared_center(seen)
    whole = next(DeclaredSums.of(x, center) for x, _ in seen.batches(30))
    merged = reduce(add, [DeclaredSums.of(x, center) for x, _ in seen.batches(size)])

    torch.testing.assert_close(merged.products, whole.products, rtol=1e-12, atol=0)
    assert (merged.count, merged.lowest, merged.largest) == (
        whole.count,
        whole.lowest,
        whole.largest,
    )


def test_a_negative_center_shows(tmp_path):
    seen = samples(tmp_path, normalize="unit", center=-CENTER)
    center = declared_center(seen)
    found = next(DeclaredSums.of(x, center) for x, _ in seen.batches(30))

    np.testing.assert_allclose(found.finished(center).lowest, -0.05, rtol=1e-6)


def test_no_center_is_zero(tmp_path):
    center = declared_center(samples(tmp_path, normalize="unit"))

    assert not center.any()
    assert center.shape == (2, 3, 4)


def test_vectors_are_one_position():
    x = torch.ones(5, 3)
    found = DeclaredSums.of(x, torch.zeros(3)).finished(torch.zeros(3))

    np.testing.assert_allclose(found.products, [[9.0]], rtol=1e-12)


def test_data_that_declare_nothing_are_told(tmp_path):
    with pytest.raises(UsageError, match="declares no normalization"):
        declared_center(samples(tmp_path, center=CENTER))


def test_more_positions_than_can_be_compared_are_told(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.ones((2, 1, 2049)), y=[0, 1], normalize="unit")
    with pytest.raises(UsageError, match="2049 positions, more than the 2048"):
        declared_center(open_data(tmp_path / "x.npz", "train"))
