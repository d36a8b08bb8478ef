"""A short, repeatable run of benchmarks/fuzz_readers.py."""

import time
import warnings

import pytest

from benchmarks.fuzz_readers import SECONDS, attempt, one
from benchmarks.seed_checkpoints import write_seeds

MUTATIONS = 330
BLOCK = 30


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return write_seeds(tmp_path_factory.mktemp("seeds"))


def test_every_seed_can_be_read(seeds):
    assert [attempt(seed) for seed in seeds] == ["read"] * len(seeds)


@pytest.mark.parametrize("first", range(0, MUTATIONS, BLOCK))
def test_damage_ends_in_a_checkpoint_or_in_an_error_of_ours(seeds, first, tmp_path):
    for number in range(first, first + BLOCK):
        begun = time.monotonic()
        outcome, damage = one(seeds, number, 1, tmp_path)

        assert outcome in {"read", "Unreadable", "Refused", "Empty"}, damage
        assert time.monotonic() - begun < SECONDS, damage
