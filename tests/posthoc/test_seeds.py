"""Normals from hashes: a stream that does not change, and that nobody picks."""

import numpy as np
import pytest
from scipy.stats import kstest

from boundkit.posthoc.seeds import derived_seed, normals, system_seed

SEED = "00" * 32


def test_the_stream_is_the_one_it_always_was():
    # Philox 4x64-10 (numpy 2.5), key = first half of sha256(seed + draw), little-endian.
    first = normals(SEED, 0, 3)

    assert first == pytest.approx(
        [0.30947616914564496, -0.5995977563125614, -0.6418151512642281], rel=1e-14
    )
    assert np.array_equal(first, normals(SEED, 0, 5)[:3])
    assert not np.array_equal(first, normals(SEED, 1, 3))


def test_they_are_standard_normal():
    assert kstest(normals(SEED, 2, 20_000), "norm").pvalue > 0.01


def test_the_seed_follows_posterior_and_data():
    seeds = {
        derived_seed(b"a", "11" * 32),
        derived_seed(b"b", "11" * 32),
        derived_seed(b"a", "22" * 32),
    }

    assert len(seeds) == 3
    assert len(system_seed()) == 64
    assert system_seed() != system_seed()
