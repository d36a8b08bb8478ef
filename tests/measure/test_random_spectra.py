"""Spectra beside those of shuffled entries."""

import numpy as np
import pytest

from boundkit.errors import NotApplicable
from boundkit.measure.random_spectra import randomized, shuffled
from boundkit.measure.spectra import layer_spectrum
from boundkit.readers.storage import ArrayStorage
from boundkit.types import Layer, StoredTensor


def layer_of(values):
    tensor = StoredTensor(values.shape, str(values.dtype), ArrayStorage(values))
    return Layer("w", "linear", tensor)


def noise(rows=80, rest=120):
    return np.random.default_rng(0).standard_normal((rows, rest))


def test_entries_stay_and_places_change():
    values = noise().astype(np.float32)
    mixed = shuffled(layer_of(values))

    assert mixed.dtype == np.float32
    assert not np.array_equal(mixed, values)
    np.testing.assert_array_equal(np.sort(mixed, axis=None), np.sort(values, axis=None))
    np.testing.assert_array_equal(mixed, shuffled(layer_of(values)))
    assert not np.array_equal(mixed, shuffled(layer_of(values), seed=1))


def test_noise_is_like_its_shuffled_self():
    layer = layer_of(noise(400, 600))
    found = randomized(layer, layer_spectrum(layer))

    # Fluctuations of the largest eigenvalue are of order 400^(-2/3).
    np.testing.assert_allclose(found.soft_rank, 1, rtol=0.05)
    assert found.spikes <= 3


def test_spikes_are_counted():
    values = noise()
    values[:, 0] += 40 * np.arange(80) / 80
    values[3] += 5
    layer = layer_of(values)
    found = randomized(layer, layer_spectrum(layer))
    exact = np.linalg.norm(shuffled(layer), 2)

    np.testing.assert_allclose(found.top, exact, rtol=1e-6)
    np.testing.assert_allclose(
        found.soft_rank, (exact / np.linalg.norm(values, 2)) ** 2, rtol=1e-5
    )
    assert found.spikes == (np.linalg.svd(values, compute_uv=False) > exact).sum()


def test_the_top_alone_may_not_tell_how_many():
    values = noise()
    values[:, 0] += 400 * np.arange(80) / 80
    values[3] += 50
    layer = layer_of(values)

    assert randomized(layer, layer_spectrum(layer, "top")).spikes is None


def test_large_layers_are_not_copied():
    layer = Layer("w", "linear", StoredTensor((5000, 5000), "float32", None))

    with pytest.raises(NotApplicable, match="25000000 entries are too many to shuffle"):
        shuffled(layer)
